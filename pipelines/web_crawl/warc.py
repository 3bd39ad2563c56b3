"""Streams the HTTP responses of a WARC file, plain or compressed, with everything in it taken for hostile.

A file that is cut short or damaged is an error, never a shorter list. Page bodies are bounded in memory,
whatever they would unpack to.
"""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from fastwarc import stream_io
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from pipelines import storage

GZIP_MAGIC = b"\x1f\x8b"
DECODERS: dict[str, Callable[[Any], Any]] = {
    "gzip": stream_io.GzipReader,
    "x-gzip": stream_io.GzipReader,
    "deflate": lambda stream: stream_io.GzipReader(stream, zlib=True),
    "br": stream_io.BrotliReader,
    "zstd": stream_io.ZstdReader,
    "chunked": stream_io.ChunkedReader,
}


class DamagedWarcError(ValueError):
    """A WARC file that is cut short, or is none."""


@dataclass(frozen=True)
class Response:
    """One HTTP response, as it was recorded."""

    number: int  # its place among the responses of its file, from 0
    url: str
    fetched_at: str  # ISO 8601, UTC
    status: int | None  # None where the answer was not HTTP
    content_type: str  # lower case, without parameters; empty where not given
    charset: str  # as the header has it; empty where not given
    encodings: tuple[str, ...]  # how the body was packed, in the order in which to undo it
    size_bytes: int  # of the body as it was recorded
    body: bytes  # its first bytes, as many as were asked for


def responses(url: str, max_body_bytes: int) -> Iterator[Response]:
    """Every HTTP response in the WARC file at `url`, in order; bodies are cut at `max_body_bytes`.

    Records of other types (requests, metadata, DNS answers) are passed over. DamagedWarcError where the file is not
    whole.
    """
    number, num_records = 0, 0
    with storage.open_input(url) as stream:
        try:
            for record in _records(stream):
                num_records += 1
                if _is_web_response(record):
                    yield _response(record, number, max_body_bytes)
                    number += 1
                else:
                    _check_length(record.content_length, record.reader.consume())
        except (OSError, EOFError, zlib.error) as error:
            raise _damaged(url, num_records, str(error)) from error
        if not num_records:
            raise _damaged(url, 0, "the file is empty")


def unpacked(response: Response, max_bytes: int) -> bytes | None:
    """The first `max_bytes` of the body as a browser would see it; None where its encoding is unknown or broken."""
    stream: Any = io.BytesIO(response.body)
    if any(encoding not in DECODERS for encoding in response.encodings):
        return None
    try:
        for encoding in response.encodings:
            stream = DECODERS[encoding](stream)
        return bytes(stream.read(max_bytes))
    except OSError:
        return None


def _records(stream: Any) -> Iterator[WarcRecord]:
    magic = stream.read(2)
    stream.seek(0)
    if magic == GZIP_MAGIC:
        # fastwarc's own reader takes the end of a file that was cut short for its true end; Python's does not.
        stream = gzip.GzipFile(fileobj=stream)
    elif magic == b"WA" and not _ends_with_blank_line(stream):
        raise EOFError("the last record is cut short")
    yield from ArchiveIterator(stream, record_types=WarcRecordType.any_type, parse_http=False)


def _ends_with_blank_line(stream: Any) -> bool:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 4))
    end = bytes(stream.read(4))
    stream.seek(0)
    return end.replace(b"\r", b"").endswith(b"\n\n")


def _is_web_response(record: WarcRecord) -> bool:
    if "Content-Length" not in record.headers:
        raise EOFError("a record without Content-Length")
    target = _target(record)
    return record.record_type == WarcRecordType.response and not target.startswith(("dns:", "ftp:", "whois:"))


def _target(record: WarcRecord) -> str:
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> ")
    return url.encode(errors="replace").decode()


def _response(record: WarcRecord, number: int, max_body_bytes: int) -> Response:
    url, date = _target(record), record.record_date
    if not url or date is None:
        raise EOFError(f"a response without {'WARC-Date' if url else 'WARC-Target-URI'}")
    record.parse_http(auto_decode="none")
    headers = record.http_headers
    size_bytes = record.content_length
    body = bytes(record.reader.read(max_body_bytes)) if max_body_bytes else b""
    _check_length(size_bytes, len(body) + record.reader.consume())
    return Response(
        number=number,
        url=url,
        fetched_at=date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        status=headers.status_code if headers is not None else None,
        content_type=(record.http_content_type or "").lower(),
        charset=(record.http_charset or "").lower(),
        encodings=_encodings(headers),
        size_bytes=size_bytes,
        body=body,
    )


def _check_length(expected_bytes: int, found_bytes: int) -> None:
    if found_bytes != expected_bytes:
        raise EOFError(f"a record has {found_bytes} of {expected_bytes} bytes")


def _encodings(headers: Any) -> tuple[str, ...]:
    """Transfer encodings come off before content encodings, the last applied first."""
    found: list[str] = []
    for name in ("Transfer-Encoding", "Content-Encoding") if headers is not None else ():
        given = ",".join(headers.get_multiple(name)).lower().split(",")
        found += [part.strip() for part in reversed(given)]
    return tuple(encoding for encoding in found if encoding not in {"", "identity"})


def _damaged(url: str, num_records: int, why: str) -> DamagedWarcError:
    return DamagedWarcError(
        f"{url}: not a whole WARC file: {why} (after {num_records} whole records); fetch the file again, or take it "
        "out of `warcs` in [web_crawl]"
    )
