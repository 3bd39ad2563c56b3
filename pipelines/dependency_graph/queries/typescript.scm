(import_statement source: (string) @source)
(export_statement source: (string) @source)
(call_expression
  function: [(import) (identifier)]
  arguments: (arguments [(string) (template_string)])) @call
(import_require_clause source: (string) @source)
