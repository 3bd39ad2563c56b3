"""C: the includes of what a build compiles, as gcc resolves them."""

from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.graph_accuracy import _gcc
from tests.benchmarks.graph_accuracy._gcc import Project

NAME = "gcc"
LANGUAGES = ["C", "C++"]  # a header may look like either
TOOLS = ["gcc", "cmake", "make", "apt-get"]
PROJECTS = [
    Project("curl", options=("-DCURL_USE_OPENSSL=OFF", "-DBUILD_TESTING=ON")),
    Project("git", before=("make command-list.h config-list.h hook-list.h",)),
    Project("musl", before=("./configure", "make obj/include/bits/alltypes.h obj/include/bits/syscall.h")),
    Project("ffmpeg", before=("./configure --disable-x86asm --disable-doc",)),
    Project("mbedtls", options=("-DENABLE_PROGRAMS=ON",)),
    Project(
        "postgresql-15",
        before=(
            "./configure --without-readline --without-zlib --without-icu",
            "make -C src/backend generated-headers",
        ),
    ),
]


def projects(cache: Path) -> Iterator[tuple[str, Path]]:
    return _gcc.projects(cache, PROJECTS)


def edges(root: Path) -> tuple[set[tuple[str, str]], set[str]]:
    return _gcc.edges(root, PROJECTS, "c")
