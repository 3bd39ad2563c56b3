"""Which file an import means that names a package of the repository, and what Vue and Svelte files import."""

import json

import pytest

SOURCE = {"packages/ui/src/index.ts": "", "packages/ui/src/button.ts": "", "packages/ui/src/internal/a.ts": ""}

EXPORTS = [
    ("the field main", {"main": "src/index.ts"}, "@s/ui", "src/index.ts"),
    ("main without extension", {"main": "./src/index"}, "@s/ui", "src/index.ts"),
    ("no field at all", {}, "@s/ui", "src/index.ts"),
    ("a path", {"main": "nowhere.js"}, "@s/ui/src/button", "src/button.ts"),
    ("what a build writes", {"main": "./dist/cjs/index.js", "types": "./dist/index.d.ts"}, "@s/ui", "src/index.ts"),
    ("a path to what a build writes", {"main": "dist/index.js"}, "@s/ui/button", "src/button.ts"),
    ("exports as a string", {"exports": "./src/index.ts", "main": "src/button.ts"}, "@s/ui", "src/index.ts"),
    ("exports by path", {"exports": {".": "./no.js", "./b": "./src/button.ts"}}, "@s/ui/b", "src/button.ts"),
    ("exports of what a build writes", {"exports": {"./b": "./dist/button.mjs"}}, "@s/ui/b", "src/button.ts"),
    ("a pattern", {"exports": {"./*": "./src/*.ts", "./i/*": None}}, "@s/ui/button", "src/button.ts"),
    (
        "the longest pattern",
        {"exports": {"./*": "./src/*.ts", "./deep/*": "./src/internal/*.ts"}},
        "@s/ui/deep/a",
        "src/internal/a.ts",
    ),
    (
        "the first condition that holds",
        {"exports": {".": {"worker": "./src/internal/a.ts", "import": "./src/button.ts", "default": "./src/index.ts"}}},
        "@s/ui",
        "src/button.ts",
    ),
    (
        "conditions inside conditions",
        {"exports": {"node": {"import": "./src/button.ts"}, "default": "./src/index.ts"}},
        "@s/ui",
        "src/button.ts",
    ),
    (
        "another condition before what is not there",
        {"exports": {"import": "./no.js", "own-name": "./src/button.ts"}},
        "@s/ui",
        "src/button.ts",
    ),
    ("the first of a list", {"exports": {".": ["./no.ts", "./src/button.ts"]}}, "@s/ui", "src/button.ts"),
    ("of the wrong kind", {"exports": {".": 1}, "main": [2, {}], "types": None}, "@s/ui", "src/index.ts"),
    ("another package", {"main": "src/index.ts"}, "@s/other", None),
    ("a name that only begins like it", {"main": "src/index.ts"}, "@s/ui-kit", None),
    ("out of the package", {"exports": {".": "../../../../x.ts"}}, "@s/ui/none", None),
]


@pytest.mark.parametrize(("fields", "specifier", "expected"), [c[1:] for c in EXPORTS], ids=[c[0] for c in EXPORTS])
def test_what_a_package_of_the_workspace_gives(graph, fields, specifier, expected):
    settings = {"packages/ui/package.json": json.dumps({"name": "@s/ui", **fields})}
    found = graph({"packages/app/x.ts": f"import '{specifier}'", **SOURCE}, dropped=settings)
    assert found.edges == ({"packages/app/x.ts": [f"packages/ui/{expected}"]} if expected else {})
    assert found.unresolved == ({} if expected else {"packages/app/x.ts": [specifier]})


def test_types_count_for_typescript_only(edges):
    exports = '{"name": "p", "exports": {"types": "./p.d.ts", "default": "./p.js"}}'
    files = {"p/package.json": exports, "p/p.d.ts": "", "p/p.js": "", "x.ts": "import 'p'", "x.js": "import 'p'"}
    assert edges(files) == {"x.js": ["p/p.js"], "x.ts": ["p/p.d.ts"]}


def test_a_package_names_itself_and_its_internal_files(edges):
    fields = {"name": "p", "exports": {"./a": "./lib/a.js"}, "imports": {"#b": "./lib/b.js", "#c/*": "./lib/c/*.js"}}
    files = {
        "q/package.json": json.dumps(fields),
        "q/lib/x.js": "import 'p/a'; import '#b'; import '#c/d'; import '#e'",
        **dict.fromkeys(("q/lib/a.js", "q/lib/b.js", "q/lib/c/d.js"), ""),
        "x.js": "import '#b'",
    }
    assert edges(files) == {"q/lib/x.js": ["q/lib/a.js", "q/lib/b.js", "q/lib/c/d.js"]}


def test_a_folder_with_a_package_is_imported_by_its_main(edges):
    files = {"a/package.json": '{"main": "lib/start.js"}', "a/lib/start.js": "", "x.js": "require('./a')"}
    assert edges(files) == {"x.js": ["a/lib/start.js"]}


def test_packages_among_test_data_are_seen_from_there_only(edges):
    files = {
        "p/fixtures/react/package.json": '{"name": "react"}',
        "p/fixtures/react/index.js": "",
        "p/fixtures/x.js": "import 'react'",
        "p/x.js": "import 'react'",
    }
    assert edges(files) == {"p/fixtures/x.js": ["p/fixtures/react/index.js"]}
    files |= {"react/package.json": '{"name": "react"}', "react/index.js": ""}
    assert edges(files) == {"p/fixtures/x.js": ["p/fixtures/react/index.js"], "p/x.js": ["react/index.js"]}


def test_what_a_specifier_means_is_not_another_file_because_it_was_dropped(graph):
    files = {"x.js": "import './a'; import 'p'", "a/index.js": "", "p/p.cjs": ""}
    exports = '{"name": "p", "exports": {"import": "./p.mjs", "require": "./p.cjs"}}'
    assert graph(files, dropped={"p/package.json": exports}).edges == {"x.js": ["a/index.js", "p/p.cjs"]}
    assert graph(files, dropped={"p/package.json": exports, "a.js": "", "p/p.mjs": ""}).edges == {}


CUSTOM = [
    ("@ for src", "web/views/x.ts", "@/a/b", "web/src/a/b.ts"),
    ("~ for the top", "web/x.ts", "~/pages/a", "web/pages/a.ts"),
    ("$lib of SvelteKit", "web/src/x.ts", "$lib/a", "web/src/lib/a.ts"),
    ("not in another project", "other/x.ts", "@/a/b", None),
    ("a scope is no folder", "web/x.ts", "@a/b", None),
]


@pytest.mark.parametrize(("path", "specifier", "expected"), [case[1:] for case in CUSTOM], ids=[c[0] for c in CUSTOM])
def test_alias_by_custom(edges, path, specifier, expected):
    others = dict.fromkeys(("web/src/a/b.ts", "web/pages/a.ts", "web/src/lib/a.ts", "src/a/c.ts"), "")
    files = {"web/package.json": "{}", path: f"import '{specifier}'", **others}
    assert edges(files) == ({path: [expected]} if expected else {})


COMPONENTS = [
    ("script", "<template>\n<p>import './b'</p>\n</template>\n<script>\nimport './a'\n</script>", ["a.js"]),
    ("TypeScript", '<script setup lang="ts">\nimport type { A } from "./a"\n</script>', ["a.ts"]),
    (
        "two scripts",
        "<script>import './a'</script>\n<script setup>\nimport C from './C.vue'\n</script>",
        ["C.vue", "a.js"],
    ),
    ("a module script", "<script module>export * from './a'</script><C/>", ["a.js"]),
    ("a script elsewhere", '<script src="./a.ts" lang="ts"></script>', ["a.ts"]),
    ("a bracket in an attribute", "<script generics=\"T extends A<B>\" lang='ts'>import './a'</script>", ["a.ts"]),
    ("over lines", "<script\n  lang=ts\n>\nimport {\n a\n} from './a'\n</script >", ["a.ts"]),
    ("no closing tag", "<script>import './a'", ["a.js"]),
    ("no script", "<scripts>import './a'</scripts>", []),
    ("in a comment", "<script>// import './a'\n</script>", []),
]


@pytest.mark.parametrize("name", ["X.vue", "X.svelte"])
@pytest.mark.parametrize(("text", "expected"), [case[1:] for case in COMPONENTS], ids=[case[0] for case in COMPONENTS])
def test_component(edges, name, text, expected):
    files = {name: text, "a.js": "", "a.ts": "", "b.js": "", "C.vue": ""}
    assert edges(files) == ({name: expected} if expected else {})


def test_components_are_imported_from_scripts(edges):
    files = {"x.ts": "import './A.vue'; import './B.svelte'; import './c.svelte'", "A.vue": "", "B.svelte": ""}
    assert edges(files | {"c.svelte.ts": ""}) == {"x.ts": ["A.vue", "B.svelte", "c.svelte.ts"]}


def test_a_declaration_stands_for_what_is_no_script(edges):
    files = {
        "A.vue": "",
        "A.d.vue.ts": "",
        "b.d.ts": "",
        "x.ts": "import './A.vue'; import './b.ts'",
        "y.js": "import './A.vue'",
    }
    assert edges(files) == {"x.ts": ["A.d.vue.ts", "b.d.ts"], "y.js": ["A.vue"]}


REFERENCES = [
    ('/// <reference path="a.d.ts" />', ["a.d.ts"]),
    ("#!/usr/bin/env node\n", []),
    ('/* Licence */\n\n// see\n/// <reference path="./a.d.ts" />\nimport "./b"', ["a.d.ts", "b.ts"]),
    ('/// <reference types="a" />\n/// <reference lib="b" />', []),
    ('const a = 1\n/// <reference path="a.d.ts" />', []),
]


@pytest.mark.parametrize(("text", "expected"), REFERENCES)
def test_triple_slash_reference(edges, text, expected):
    files = {"x.ts": text, "a.d.ts": "", "b.ts": ""}
    assert edges(files) == ({"x.ts": expected} if expected else {})


TSCONFIGS = [
    ("a list that is taken over: the last counts", {"tsconfig.json": {"extends": ["./one.json", "./two.json"]}}, "two"),
    ("a configuration of a package", {"tsconfig.json": {"extends": "@s/config/one.json"}}, "conf"),
    ("a package's tsconfig.json", {"tsconfig.json": {"extends": "@s/config"}}, "conf"),
    (
        "projects that a configuration refers to",
        {"tsconfig.json": {"files": [], "references": [{"path": "./none"}, {"path": "./one.json"}]}},
        "one",
    ),
    (
        "its own before those",
        {"tsconfig.json": {"references": [{"path": "./one.json"}], "compilerOptions": {"paths": {"@/*": ["./two/*"]}}}},
        "two",
    ),
    ("of the wrong kind", {"tsconfig.json": {"extends": [1, {}], "references": [2, {"path": 3}]}}, None),
]


@pytest.mark.parametrize(("configs", "expected"), [case[1:] for case in TSCONFIGS], ids=[c[0] for c in TSCONFIGS])
def test_tsconfig_that_says_it_elsewhere(edges, configs, expected):
    def paths(folder):
        return {"compilerOptions": {"paths": {"@/*": [f"./{folder}/*"]}}}

    settings = {
        "one.json": paths("one"),
        "two.json": paths("two"),
        "conf/package.json": {"name": "@s/config"},
        "conf/one.json": paths("."),
        "conf/tsconfig.json": paths("."),
        **configs,
    }
    files = {path: json.dumps(content) for path, content in settings.items()}
    files |= {f"{folder}/a.ts": "" for folder in ("one", "two", "conf")} | {"x.ts": "import '@/a'"}
    assert edges(files) == ({"x.ts": [f"{expected}/a.ts"]} if expected else {})
