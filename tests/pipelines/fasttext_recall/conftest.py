"""The bundled web pages as a module, and the settings that suit them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CORPUS = Path(__file__).parents[2] / "tiny_corpus" / "web"


@pytest.fixture(scope="session")
def web() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tiny_web", CORPUS / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tiny_web"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recall_settings() -> dict[str, Any]:
    """Those of pipelines/configs/demo.toml: 70 examples need more passes than the paper's million."""
    return {
        "seeds": {
            "code": ["stackcraft.example/questions/", "docs.tensorloom.example", "wenda.daima.example/question/"],
            "math": ["mathquorum.example/questions/", "shuxue-tang.example/wenti/"],
        },
        "marked": {"code": ["blog.kaifa.example/tech/"], "math": ["lectures.uni-norden.example"]},
        "num_rounds": 2,
        "min_score": 0.3,
        "vocab_size": 2000,
        "bucket": 20_000,
        "dim": 64,
        "word_ngrams": 2,
        "learning_rate": 1.0,
        "epochs": 200,
    }
