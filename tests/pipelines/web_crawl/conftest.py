"""The script that makes the bundled web pages, as a module, and WARC files of a test's own."""

import gzip
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

CORPUS = Path(__file__).parents[2] / "tiny_corpus" / "web"


@pytest.fixture(scope="session")
def web() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_web", CORPUS / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tiny_web"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def write_warc(web: ModuleType, tmp_path: Path) -> Callable[..., str]:
    """Writes (URL, HTTP response) pairs as a WARC file and returns its path."""

    def write(responses: Sequence[tuple[str, bytes]], name: str = "pages.warc.gz") -> str:
        records = [web.warc_record("response", url, block, number) for number, (url, block) in enumerate(responses)]
        if name.endswith(".gz"):
            records = [gzip.compress(record, mtime=0) for record in records]
        path = tmp_path / name
        path.write_bytes(b"".join(records))
        return str(path)

    return write
