"""Which file a JavaScript or TypeScript import means."""

import pytest

STATEMENTS = [
    ("import", 'import a from "./a"'),
    ("import of names, over lines, with a comment", 'import {\n  b, // "}\n  c as d,\n} from "./a";'),
    ("import without space", 'import*as a from"./a"'),
    ("import for its effects", "import './a'"),
    ("import with attributes", 'import a from "./a" with { type: "js" }'),
    ("re-export", 'export { b as c } from "./a"'),
    ("re-export of everything", 'export * as n from "./a"'),
    ("require", 'const { b } = require("./a"), x = 1'),
    ("require inside a call", 'f(...require("./a").list)'),
    ("require of a template without holes", "require(`./a`)"),
    ("import when needed", 'const b = await import(/* webpackChunkName: "x" */ "./a", {})'),
    ("after an export that names no module", 'export const b = 1\nexport { b }\nimport { c } from "./a"'),
    ("after a pattern with quotes", "const quote = /[\"'`/]/g, half = 1 / 2\nrequire('./a') // '"),
    ("after nested templates", "const s = `${t ? `'` : '`'}`\nrequire('./a')"),
    ("after an apostrophe in JSX", 'const b = <p>Don\'t</p>\nimport "./a"'),
    ("after a comment that begins an import", '// one may import path\nimport { b } from "./a"'),
]
NO_IMPORTS = [
    ("line comment", '// import a from "./a"'),
    ("block comment", '/**\n * @example\n * import a from "./a"\n * const b = require("./a")\n */'),
    ("string", "const s = 'require(\"./a\")'"),
    ("template", '`\nimport a from "./a"\n`'),
    ("a name that is put together", 'require("./" + name); import(`./${name}`)'),
    ("another function", 'module.require("./a"); requireAll("./a"); x.import("./a")'),
    ("exported text", 'export default "./a"'),
    ("import.meta", 'import.meta.url\n"./a"'),
]


@pytest.mark.parametrize("name", ["x.js", "x.ts", "x.tsx", "x.mjs"])
@pytest.mark.parametrize("text", [case[1] for case in STATEMENTS], ids=[case[0] for case in STATEMENTS])
def test_statement_that_imports(graph, name, text):
    found = graph({name: text, "a.js": ""})
    assert found.edges == {name: ["a.js"]}
    assert found.num_imports == {name: 1}


@pytest.mark.parametrize("text", [case[1] for case in NO_IMPORTS], ids=[case[0] for case in NO_IMPORTS])
def test_text_that_imports_nothing(graph, text):
    found = graph({"x.js": text, "a.js": ""})
    assert found == ({}, {}, {}, {})


TYPESCRIPT_ONLY = [
    ('import type { A } from "./a"', 1),
    ('import a = require("./a")', 1),
    ('let a: import("./a").A', 1),
    ('declare module "m" { import a from "./a" }', 1),
    ("import a = A.B", 0),
]


@pytest.mark.parametrize(("text", "expected"), TYPESCRIPT_ONLY)
def test_statement_of_typescript(graph, text, expected):
    assert graph({"x.ts": text, "a.ts": ""}).num_imports.get("x.ts", 0) == expected


FILES = [
    ("exactly", "x.js", "./a.mjs", {"a.mjs", "a.mjs.js"}, "a.mjs"),
    ("JavaScript first", "x.js", "./a", {"a.js", "a.ts"}, "a.js"),
    ("TypeScript first", "x.ts", "./a", {"a.js", "a.ts"}, "a.ts"),
    ("declarations", "x.ts", "./a", {"a.js", "a.d.ts"}, "a.d.ts"),
    ("the source of what will be written", "x.ts", "./a.js", {"a.ts"}, "a.ts"),
    ("the source before what was written", "x.ts", "./a.js", {"a.js", "a.ts"}, "a.ts"),
    ("what was written, from JavaScript", "x.js", "./a.js", {"a.js", "a.ts"}, "a.js"),
    ("the source of .jsx", "x.tsx", "./a.jsx", {"a.tsx"}, "a.tsx"),
    ("the source of .mjs", "x.mts", "./a.mjs", {"a.mts"}, "a.mts"),
    ("a folder", "x.js", "./a", {"a/index.js"}, "a/index.js"),
    ("a file before a folder", "x.ts", "./a", {"a/index.ts", "a.ts"}, "a.ts"),
    ("the own folder", "a/x.ts", ".", {"a/index.ts"}, "a/index.ts"),
    ("the folder above", "a/x.ts", "..", {"index.ts"}, "index.ts"),
    ("up and down", "a/b/x.ts", "../../c/d", {"c/d.tsx"}, "c/d.tsx"),
    ("a dot in the name", "x.ts", "./a.service", {"a.service.ts"}, "a.service.ts"),
    ("JSON", "x.js", "./a.json", {"a.json"}, "a.json"),
    ("style", "x.ts", "./a.css", {"a.css"}, "a.css"),
    ("a query for the bundler", "x.ts", "./a.css?inline", {"a.css"}, "a.css"),
    ("a package", "x.ts", "a", {"a.ts", "node_modules/a/index.js"}, None),
    ("out of the repository", "x.ts", "../../a", {"a.ts"}, None),
    ("not there", "x.ts", "./b", {"a.ts"}, None),
]


@pytest.mark.parametrize(("path", "specifier", "others", "expected"), [c[1:] for c in FILES], ids=[c[0] for c in FILES])
def test_file_that_a_specifier_means(graph, path, specifier, others, expected):
    found = graph({path: f"import '{specifier}'", **dict.fromkeys(others, "")})
    assert found.edges == ({path: [expected]} if expected else {})
    assert found.unresolved == ({} if expected else {path: [specifier]})


ALIASES = [
    ("paths", '{"compilerOptions": {"paths": {"@app/*": ["./src/app/*"]}}}', "@app/a", "src/app/a.ts"),
    (
        "paths from baseUrl",
        '{"compilerOptions": {"baseUrl": "src", "paths": {"@/*": ["app/*"]}}}',
        "@/a",
        "src/app/a.ts",
    ),
    ("baseUrl alone", '{"compilerOptions": {"baseUrl": "./src"}}', "app/a", "src/app/a.ts"),
    ("an exact name", '{"compilerOptions": {"paths": {"a": ["src/app/a"], "*": ["nowhere/*"]}}}', "a", "src/app/a.ts"),
    (
        "the longest pattern",
        '{"compilerOptions": {"paths": {"*": ["x/*"], "@/*": ["src/app/*"]}}}',
        "@/a",
        "src/app/a.ts",
    ),
    ("the second choice", '{"compilerOptions": {"paths": {"@/*": ["gone/*", "src/app/*"]}}}', "@/a", "src/app/a.ts"),
    (
        "comments and commas",
        '{/* c */ "compilerOptions": {"paths": {"@/*": ["src/app/*",],}, // "\n},}',
        "@/a",
        "src/app/a.ts",
    ),
    ("taken over", '{"extends": "./conf/base.json"}', "@/a", "src/app/a.ts"),
    ("no JSON", "{", "@/a", None),
    ("of the wrong kind", '{"extends": 1, "compilerOptions": {"baseUrl": [], "paths": {"@/*": 2}}}', "@/a", None),
]


@pytest.mark.parametrize(("config", "specifier", "expected"), [c[1:] for c in ALIASES], ids=[c[0] for c in ALIASES])
def test_alias_of_tsconfig(edges, config, specifier, expected):
    base = '{"compilerOptions": {"paths": {"@/*": ["../src/app/*"]}}}'
    files = {"tsconfig.json": config, "conf/base.json": base, "src/app/a.ts": "", "web/x.ts": f'import "{specifier}"'}
    assert edges(files) == ({"web/x.ts": [expected]} if expected else {})


def test_the_nearest_tsconfig_counts_and_a_loop_of_them_ends(edges):
    files = {
        "tsconfig.json": '{"compilerOptions": {"baseUrl": "src"}}',
        "web/tsconfig.json": '{"extends": "./tsconfig.json"}',
        "src/a.ts": "",
        "web/x.ts": 'import "a"',
        "x.ts": 'import "a"',
    }
    assert edges(files) == {"x.ts": ["src/a.ts"]}
