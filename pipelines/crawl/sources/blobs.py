"""Where the bytes of a blob id come from: a function that the user names, or a folder.

A resolver is called with a list of ids, and gives back a mapping from id to bytes. An id that it leaves out is a file
that is dropped; so is one for which it raises, when it is asked for it alone.
"""

import gzip
import importlib
import io
import os
import re
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from pipelines.crawl.sources.source import UnreadableEntryError, open_file

Resolve = Callable[[list[str]], Mapping[str, bytes]]
BLOB_ID = re.compile(r"[\w-]{3,128}")
MAX_BLOB_BYTES = 1 << 28  # that a packed blob may unpack to


@cache
def load(name: str) -> Resolve:
    """The function `package.module:function`. ValueError where there is none."""
    module, _, function = name.partition(":")
    try:
        found: Resolve = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        message = f"crawl source: resolver: got {name!r}: {error}; expected `package.module:function`"
        raise ValueError(message) from error
    return found


def resolved(resolve: Resolve, ids: list[str]) -> dict[str, bytes | str]:
    """Each id with its bytes, or with a text that says why there are none."""
    if not ids:
        return {}
    try:
        found = resolve(ids)
    except Exception as error:  # noqa: BLE001 (whatever a user's function may raise)
        if len(ids) == 1:
            return {ids[0]: f"{type(error).__name__}: {error}"[:200]}
        return {one: content for each in ids for one, content in resolved(resolve, [each]).items()}
    return {one: found.get(one, "the resolver has no such blob") for one in ids}


def in_folder(folder: str) -> Resolve:
    """Reads `<folder>/<id>` or `<folder>/<the first two of id>/<id>`, as it is or with `.gz`."""
    if not os.path.isdir(folder):
        raise ValueError(
            f"crawl source: blobs: got {folder!r}, which is no folder; expected one with a file for each id"
        )

    def resolve(ids: list[str]) -> dict[str, bytes]:
        return {one: content for one in ids if (content := _in_folder(folder, one)) is not None}

    return resolve


def _in_folder(folder: str, blob_id: str) -> bytes | None:
    if not BLOB_ID.fullmatch(blob_id):
        return None
    for place in (blob_id, os.path.join(blob_id[:2], blob_id)):
        for suffix in ("", ".gz"):
            try:
                with open_file(os.path.join(folder, place + suffix)) as file:
                    return _unpacked(file.read()) if suffix else file.read()
            except UnreadableEntryError:
                continue
    return None


def _unpacked(packed: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            content = file.read(MAX_BLOB_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"a broken gzip file: {error}") from error
    if len(content) > MAX_BLOB_BYTES:
        raise ValueError(f"unpacks to more than {MAX_BLOB_BYTES} bytes")
    return content
