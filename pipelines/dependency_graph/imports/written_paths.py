"""What a path means that a program writes: which files it may name, by the custom of its language."""

import re
from collections.abc import Sequence

from pipelines.dependency_graph.imports.statements import Possible

# A part of a path that is known when the program runs: `$a`, `${a%/*}`, `$(dirname "$0")`, `@a@`, `[a]`.
VARIABLE = re.compile(r"\$\{[^{}]*+\}|\$\((?:[^()]++|\([^()]*+\))*+\)|\$\w++|@\w++@|\[[^\[\]]*+\]|`[^`]*+`")


def after_variables(*suffixes: str) -> Possible:
    """The literal end of a path that begins with variables."""

    def possible(written: str) -> list[str]:
        bare = VARIABLE.sub("\0", written).replace('"', "").replace("'", "").replace("\\", "/")
        is_literal, _, end = bare.rpartition("\0")
        end = end.lstrip("/") if is_literal or "\0" in bare else end.removeprefix("./")
        if "$" in end or not end.strip("./*"):
            return []
        return [end, *(end + suffix for suffix in suffixes)]

    return possible


def of_the_web(written: str) -> list[str]:
    """A path in a page: without its query, and none where it is an address or is put in by a template."""
    path = re.split(r"[?#]", written.strip(), maxsplit=1)[0]
    return [] if not path or re.search(r"^\w++:|^//|[{}<>%$]", path) else [path, path.lstrip("/")]


def of_nix(written: str) -> list[str]:
    return [written, written.rstrip("/") + "/default.nix"]


def of_cmake(written: str) -> list[str]:
    """`include(a)` of a file or a module, `add_subdirectory(a)`, `find_package(a)`."""
    ends = after_variables()(written)
    return [path for end in ends for path in (end, f"{end}.cmake", f"{end}/CMakeLists.txt", f"Find{end}.cmake")]


def of_tcl(written: str) -> Sequence[str]:
    """`[file join $a b c.tcl]` is b/c.tcl."""
    if written.startswith("[file"):
        inside = written[1:]
        for _ in range(3):  # commands inside commands
            inside = re.sub(r"\[[^\[\]]*+\]", "$0", inside)
        return after_variables()("/".join(inside.partition("]")[0].split()[2:]))
    return after_variables()(written)


def of_racket(written: str) -> list[str]:
    """A path in quotes, or `collection/module`, which a package named `collection-lib` may hold."""
    name = written.strip('"')
    if "." in name or written.startswith('"'):
        return [name]
    collection, _, module = name.partition("/")
    return [f"{name}.rkt", f"{name}/main.rkt", f"{collection}-lib/{module}.rkt"]


def of_lua(written: str) -> list[str]:
    if written.endswith(".lua"):
        return [written]
    path = written.replace(".", "/").strip("/")
    return [f"{path}.lua", f"{path}/init.lua", f"{written}.lua"]
