"""JavaScript and TypeScript: `import`, `export ... from`, `require` and dynamic `import` of a literal.

A relative specifier is resolved as the TypeScript compiler, Node and the bundlers do; any other one by the `paths` and
`baseUrl` of the nearest tsconfig.json or jsconfig.json. Packages (package.json) are not looked at.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tree_sitter import Node

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.imports.tsconfig import Aliases
from pipelines.dependency_graph.parse import Syntax, text
from pipelines.dependency_graph.tree import FileTree, Found, join, parent

BEFORE_PATTERN = (rb"(?<=[(,=:\[!&|?{};\n])", rb"(?<=[(,=:\[!&|?{};] )", rb"(?<=return )")  # then `/` begins a pattern
TEMPLATE = rb"`(?:[^`\\]++|\\.)*+`"
HOLE = rb"\$\{(?:[^{}`\"']++|%s|\"(?:[^\"\\\n]++|\\.)*+\"|'(?:[^'\\\n]++|\\.)*+'|\{[^{}`]*+\}){0,64}+\}" % TEMPLATE
LEXER = scan.Lexer(
    rb"/\"'`",
    (
        rb"//[^\n]*+\n",
        rb"/\*(?:[^*]++|\*(?!/))*+\*/",
        rb"(?:%s)/(?![/*])(?:[^/\\\[\n]++|\\.|\[(?:[^\]\\\n]++|\\.)*+\])++/" % b"|".join(BEFORE_PATTERN),
        rb'"(?:[^"\\\n]++|\\.)*+["\n]',
        rb"'(?:[^'\\\n]++|\\.)*+['\n]",
        rb"`(?:[^`\\$]++|\\.|%s|\$(?!\{))*+`" % HOLE,
        TEMPLATE,
    ),
    (rb"//[^\n]*+", rb"/\*.*", rb'"(?:[^"\\\n]++|\\.)*+', rb"'(?:[^'\\\n]++|\\.)*+", rb"`.*"),
)
SPACE = rb"(?:\s++|//[^\n]*+\n|/\*(?:[^*]++|\*(?!/))*+\*/)"
STRING = rb"(?:\"[^\"\n]++\"|'[^'\n]++')"
ARGUMENT = rb"%s*+\(%s*+(?:%s|`[^`$]++`)(?=%s*+[,)])" % (SPACE, SPACE, STRING, SPACE)
NAME = rb"(?!(?:import|export)(?![\w$\x80-\xff]))[\w$\x80-\xff]++"  # so that a clause never runs into the next one
CLAUSE = rb"(?:%s|[*,{}]|%s)*+%s" % (NAME, SPACE, STRING)
KEYWORDS = [re.compile(word) for word in (b"require", b"import", b"export")]
STATEMENT = re.compile(
    rb"(?<![\w$\x80-\xff])(?<!(?<!\.\.)\.)(?:require%s|import(?![\w$])(?:%s|%s)|export(?![\w$])%s)"
    % (ARGUMENT, ARGUMENT, CLAUSE, CLAUSE)
)

# What a specifier may leave out, in the order in which it is tried.
TYPESCRIPT_FIRST = (".ts", ".tsx", ".d.ts", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", ".vue", ".svelte")
JAVASCRIPT_FIRST = (".js", ".jsx", ".mjs", ".cjs", ".json", ".ts", ".tsx", ".mts", ".cts", ".d.ts", ".vue", ".svelte")
# A specifier names the file that the compiler will write; these are the files that it is made from.
SOURCES = {
    ".js": (".ts", ".tsx", ".d.ts"),
    ".jsx": (".tsx", ".d.ts"),
    ".mjs": (".mts", ".d.mts"),
    ".cjs": (".cts", ".d.cts"),
}


class Facts(NamedTuple):
    specifiers: list[str]
    is_typescript: bool


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    kept = statements(source)
    return Facts(specifiers(syntax.captures(language, kept, path), kept), language == "TypeScript")


def specifiers(captures: Mapping[str, list[Node]], source: bytes) -> list[str]:
    """What the import statements and calls name, without quotes."""
    called = [_argument(call, source) for call in captures.get("call", [])]
    return [text(node, source)[1:-1] for node in (*captures.get("source", []), *called) if node]


def _argument(call: Node, source: bytes) -> Node | None:
    """The literal that `import` or `require` is called with; None for another function or a template with holes."""
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None or text(function, source) not in ("import", "require"):
        return None
    argument = next(node for node in arguments.named_children if node.type != "comment")
    has_hole = any(part.type == "template_substitution" for part in argument.named_children)
    return argument if argument.type in ("string", "template_string") and not has_hole else None


def statements(source: bytes) -> bytes:
    """The imports, re-exports and calls of `require` of a file, one after the other."""
    found = LEXER.in_code(source, scan.places(source, *KEYWORDS), STATEMENT)
    return b";\n".join(_closed(match.group()) for match in found)


def _closed(statement: bytes) -> bytes:
    is_call = statement.removeprefix(b"import").removeprefix(b"require").lstrip().startswith((b"(", b"/"))
    return statement + b")" if is_call else statement


def resolve(facts: Mapping[str, Facts], tree: FileTree) -> Iterator[tuple[str, Found]]:
    aliases = Aliases(tree)
    for path, file in facts.items():
        found = Found()
        for specifier in file.specifiers:
            target = _target(specifier, path, file.is_typescript, tree, aliases)
            found.add_import(specifier, [target] if target else [])
        yield path, found


def _target(specifier: str, path: str, is_typescript: bool, tree: FileTree, aliases: Aliases) -> str | None:
    written = specifier.partition("?")[0]  # `./shader.glsl?raw` asks a bundler for something, of that file
    if written.startswith(("./", "../")) or written in (".", ".."):
        bases = [join(parent(path), written)]
    else:
        bases = aliases.meant(written, path)
    found = (_file(base, is_typescript, tree) for base in bases if base is not None)
    return next((file for file in found if file), None)


def _file(base: str, is_typescript: bool, tree: FileTree) -> str | None:
    return next((file for file in _possible(base, is_typescript) if file in tree.paths), None)


def _possible(base: str, is_typescript: bool) -> Iterator[str]:
    """The files that `base` may mean, the first choice first."""
    stem, dot, suffix = base.rpartition(".")
    sources = [stem + source for source in SOURCES.get(dot + suffix, ())]
    yield from [*sources, base] if is_typescript else [base, *sources]
    suffixes = TYPESCRIPT_FIRST if is_typescript else JAVASCRIPT_FIRST
    yield from (base + suffix for suffix in suffixes)
    index = f"{base}/index" if base else "index"
    yield from (index + suffix for suffix in suffixes)
