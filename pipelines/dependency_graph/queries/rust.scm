(use_declaration argument: (_) @use)
