"""C++: the includes of what a build compiles, as g++ resolves them."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _gcc
from tests.benchmarks.graph_accuracy._gcc import Project

NAME = "g++"
LANGUAGES = ["C", "C++"]  # a header may look like either
TOOLS = ["gcc", "g++", "cmake", "apt-get"]
PROJECTS = [
    Project("leveldb", options=("-DLEVELDB_BUILD_TESTS=OFF",)),
    Project("abseil", options=("-DCMAKE_CXX_STANDARD=17",)),
    Project("rocksdb", options=("-DWITH_GFLAGS=OFF",)),
    Project("protobuf", options=("-Dprotobuf_BUILD_TESTS=OFF",)),
]


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    return _gcc.projects(cache, PROJECTS)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    return _gcc.edges(root, PROJECTS, "c++")
