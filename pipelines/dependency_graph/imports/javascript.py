"""JavaScript, TypeScript, and the scripts of Vue and Svelte files: `import`, `export ... from`, `require` and dynamic
`import` of a literal, and `/// <reference path>`.

A relative specifier is resolved as the TypeScript compiler, Node and the bundlers do; any other one by the `paths` and
`baseUrl` of the nearest tsconfig.json or jsconfig.json, then as a package of the repository, then by custom.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tree_sitter import Node

from pipelines.dependency_graph import scan
from pipelines.dependency_graph.imports.packages import Packages
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
# TypeScript that names its own files is compiled to declarations that still name them.
DECLARATIONS = {".ts": ".d.ts", ".tsx": ".d.ts", ".mts": ".d.mts", ".cts": ".d.cts"}


# `///` comments of this form count before the first statement of a file.
HEAD = re.compile(rb"(?:\s++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+")
REFERENCE = re.compile(rb"///[ \t]*+<reference\s++path\s*+=\s*+[\"']([^\"'\n<>]++)[\"']")
OPENING_TAG = re.compile(rb"<script(?=[\s>])((?:[^>\"']{1,200}+|\"[^\"]{0,500}+\"|'[^']{0,500}+'){0,20}+)>")
CLOSING_TAG = re.compile(rb"</script\s*+>")
ATTRIBUTE = re.compile(rb"\s(lang|src)\s*+=\s*+[\"']?([^\s\"'>]++)")
# What a first folder means, from the folder of the nearest package.json, where no configuration says another thing.
CUSTOMARY = {"@": ("src", ""), "~": ("src", ""), "$lib": ("src/lib",)}


class Facts(NamedTuple):
    specifiers: list[str]
    is_typescript: bool


def extract(language: str, path: str, source: bytes, syntax: Syntax) -> Facts:
    if language in ("Vue", "Svelte"):
        return _component(source, syntax)
    kept = statements(source)
    found = specifiers(syntax.captures(language, kept, path), kept)
    return Facts(references(source) + found, language == "TypeScript")


def _component(source: bytes, syntax: Syntax) -> Facts:
    found = list(scripts(source))
    said = [pair for attributes, _ in found for pair in ATTRIBUTE.findall(attributes)]
    kept = b";\n".join(statements(content) for _, content in found)
    sources = [value.decode("utf-8", "replace") for name, value in said if name == b"src"]
    is_typescript = any(name == b"lang" and value.startswith(b"ts") for name, value in said)
    return Facts(sources + specifiers(syntax.captures("TypeScript", kept), kept), is_typescript)


def scripts(source: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(attributes, content) of each `<script>`."""
    position = 0
    while opening := OPENING_TAG.search(source, position):
        closing = CLOSING_TAG.search(source, opening.end())
        position = closing.start() if closing else len(source)
        yield opening[1], source[opening.end() : position]


def references(source: bytes) -> list[str]:
    """The paths of `/// <reference path="..." />`, which are relative to the file."""
    head = HEAD.match(source)
    found = REFERENCE.findall(head.group()) if head and b"///" in head.group() else []
    return [f"./{path.decode('utf-8', 'replace')}" for path in found]


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
    specifiers = Specifiers(tree)
    for path, file in facts.items():
        found = Found()
        for specifier in file.specifiers:
            target = specifiers.target(specifier, path, file.is_typescript)
            found.add_import(specifier, [target] if target else [])
        yield path, found


class Specifiers:
    """Which file a specifier means."""

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self.packages = Packages(tree)
        self.aliases = Aliases(tree, self.packages)

    def target(self, specifier: str, path: str, is_typescript: bool) -> str | None:
        """The file that a specifier means in the file `path`; None where it is no living file of the repository."""
        written = specifier.partition("?")[0]  # `./shader.glsl?raw` asks a bundler for something, of that file
        if written.startswith(("./", "../")) or written in (".", ".."):
            base = join(parent(path), written)
            bases = iter([] if base is None else [base])
        else:
            bases = self._bases(written, path, is_typescript)
        files = (file for base in bases for file in self._possible(base, is_typescript))
        # A file that was dropped is what the specifier means all the same, so that nothing else is.
        found = next((file for file in files if file in self.tree), None)
        return found if found in self.tree.paths else None

    def _bases(self, written: str, path: str, is_typescript: bool) -> Iterator[str]:
        yield from self.aliases.meant(written, path)
        yield from self.packages.meant(written, path, is_typescript)
        first, slash, rest = written.partition("/")
        if slash and first in CUSTOMARY:
            found = (join(self.packages.around(path) or "", f"{folder}/{rest}") for folder in CUSTOMARY[first])
            yield from (base for base in found if base is not None)

    def _possible(self, base: str, is_typescript: bool) -> Iterator[str]:
        """The files that `base` may mean; where it is the folder of a package, the entry points of that come last."""
        yield from _possible(base, is_typescript)
        if base in self.packages.by_folder:
            for entry in self.packages.entries(base, ".", is_typescript):
                yield from _possible(entry, is_typescript)


def _possible(base: str, is_typescript: bool) -> Iterator[str]:
    """The files that `base` may mean, the first choice first."""
    stem, dot, name = base.rpartition(".")
    suffix = dot + name
    sources = [stem + source for source in SOURCES.get(suffix, ())]
    if not is_typescript:
        yield from (base, *sources)
    elif suffix in DECLARATIONS:
        yield from (base, stem + DECLARATIONS[suffix])
    else:
        yield from (*sources, f"{stem}.d{suffix}.ts", base)
    suffixes = TYPESCRIPT_FIRST if is_typescript else JAVASCRIPT_FIRST
    yield from (base + suffix for suffix in suffixes)
    index = f"{base}/index" if base else "index"
    yield from (index + suffix for suffix in suffixes)
