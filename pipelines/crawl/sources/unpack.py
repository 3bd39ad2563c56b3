"""Reads archives as streams, within limits: tar (plain, gz, bz2, xz, zst) and zip. Nothing is written to disk.

What an archive says of its own sizes is not believed: what counts is what comes out of the decompressor.
"""

import bz2
import lzma
import mmap
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
from isal import igzip, igzip_lib

from pipelines.crawl.sources.source import (
    DroppedRepositoryError,
    Entry,
    UnreadableEntryError,
    check_paths,
    no_content,
    readable_path,
)

MAGIC = {
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"PK\3\4": "zip",
    b"PK\5\6": "zip",
}
FREE_BYTES = 64_000_000  # what any archive may unpack to, whatever the ratio
CHUNK_BYTES = 1 << 16
BLOCK_BYTES = 1 << 22  # of what is kept in memory
MAX_HEADER_BYTES = 1_000_000  # of one entry: a long name, or PAX records
MAX_XZ_MEMORY_BYTES = 256_000_000  # what xz may take for its dictionary
HEADERS = {
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
}
PLAIN = {tarfile.REGTYPE, tarfile.DIRTYPE}
SIZE, CHECKSUM = re.compile(rb"([0-7]{11})[\0 ]"), re.compile(rb"([0-7]{6,7})[\0 ]{1,2}")
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # zipfile bounds the memory of no other
ZIP_KINDS = {0: None, 0o100000: None, 0o120000: "symlink"}
# What zipfile makes of a name that is no UTF-8, of one that is empty, and of a version to come.
OF_ZIPFILE = (UnicodeDecodeError, IndexError, NotImplementedError)
OF_ISAL: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # whose stub has no class there
BROKEN = (OSError, EOFError, zipfile.BadZipFile, zlib.error, OF_ISAL, *OF_ZIPFILE)
END_OF_DIRECTORY, LOCATOR = b"PK\5\6", b"PK\6\7"


class BrokenArchiveError(ValueError):
    """An archive that cannot be read to its end, or that unpacks to more than it may."""


@dataclass(frozen=True)
class Bounds:
    """What one archive may be."""

    max_entries: int
    max_unpacked_bytes: int
    max_ratio: float  # of what comes out to what lies on the disk
    max_file_bytes: int  # what is larger is listed, and not kept in memory
    max_repository_bytes: int  # nor is what would pass this, in the order of a tar archive

    def most(self, packed_bytes: int) -> int:
        return int(min(self.max_unpacked_bytes, max(FREE_BYTES, self.max_ratio * packed_bytes)))


def entries(path: Path, bounds: Bounds) -> Iterator[Entry]:
    """The entries of an archive, folders left out, in its own order. BrokenArchiveError where it cannot be read."""
    kind = kind_of(path)
    try:
        yield from _zip_entries(path, bounds) if kind == "zip" else _tar_entries(path, kind, bounds)
    except (*BROKEN, tarfile.TarError, lzma.LZMAError, struct.error) as error:
        raise BrokenArchiveError(str(error) or type(error).__name__) from error


def kind_of(path: Path) -> str:
    """`zip`, the compression of a tar archive, or `tar` where there is none."""
    with path.open("rb") as stream:
        begins = stream.read(6)
    return next((kind for magic, kind in MAGIC.items() if begins.startswith(magic)), "tar")


def _tar_entries(path: Path, kind: str, bounds: Bounds) -> Iterator[Entry]:
    with path.open("rb") as packed:
        stream = _Counted(_decompressed(packed, kind), bounds.most(path.stat().st_size))
        with tarfile.TarFile(fileobj=stream, tarinfo=_TarInfo, encoding="utf-8") as files:  # type: ignore[arg-type]
            kept_bytes, paths_bytes, store = 0, 0, _Store()
            for number, member in enumerate(files):
                files.members = []  # type: ignore[attr-defined]  # so that a million entries are not kept
                if number == bounds.max_entries:
                    raise DroppedRepositoryError(f"more than {bounds.max_entries} entries", "repository_entries")
                paths_bytes += len(member.name)
                check_paths(paths_bytes)
                if not member.isdir():
                    found = _tar_entry(files, member, bounds, kept_bytes, store)
                    kept_bytes += 0 if found.reason else found.size_bytes
                    yield found
        while stream.read(CHUNK_BYTES):  # to the checksum
            pass


def _tar_entry(
    files: tarfile.TarFile, member: tarfile.TarInfo, bounds: Bounds, kept_bytes: int, store: "_Store"
) -> Entry:
    path = readable_path(member.name)
    if member.issym() or member.islnk():
        return Entry(path, 0, no_content, "symlink" if member.issym() else "hard_link")
    if not member.isfile():
        return Entry(path, 0, no_content, "not_regular")
    if member.size > bounds.max_file_bytes:
        return Entry(path, member.size, no_content, "file_size", f"{member.size} > {bounds.max_file_bytes}")
    if kept_bytes + member.size > bounds.max_repository_bytes:
        detail = f"{kept_bytes + member.size} > {bounds.max_repository_bytes}"
        return Entry(path, member.size, no_content, "repository_size", detail)
    content = _content(files, member)
    return Entry(path, len(content), store.keep(content))


def _content(files: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """What stands at the place of `files` now: so nothing is sought, but the holes of a sparse file."""
    if member.issparse():
        stream = files.extractfile(member)
        assert stream is not None
        return stream.read()
    assert files.fileobj is not None
    content = files.fileobj.read(member.size)
    if len(content) < member.size:
        raise BrokenArchiveError("unexpected end of data")
    return content


class _Store:
    """What is read before it is asked for. Memory goes back by blocks as entries are forgotten; malloc keeps it."""

    def __init__(self) -> None:
        self.block = mmap.mmap(-1, BLOCK_BYTES)

    def keep(self, content: bytes) -> Callable[[], bytes]:
        if len(content) > len(self.block) - self.block.tell():
            self.block = mmap.mmap(-1, max(BLOCK_BYTES, len(content)))
        block, start = self.block, self.block.tell()
        block.write(content)
        end = block.tell()
        return lambda: block[start:end]


class _TarInfo(tarfile.TarInfo):
    """Headers that tarfile would take for the end of the archive, or read into memory whatever their size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_TarInfo":
        if found := cls._plain(bytes(buf), encoding, errors):
            return found
        try:
            found = super().frombuf(buf, encoding, errors)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:  # type: ignore[attr-defined]
            raise BrokenArchiveError(f"tar header: {error}") from error
        if found.type in HEADERS and found.size > MAX_HEADER_BYTES:
            raise BrokenArchiveError(f"a tar header of {found.size:,} bytes")
        if found.type == tarfile.GNUTYPE_SPARSE and buf[482]:
            raise BrokenArchiveError("a map of a sparse file over several headers")
        return found

    @classmethod
    def _plain(cls, header: bytes, encoding: str, errors: str) -> "_TarInfo | None":
        """A file or folder as nearly every archive writes it, four times as fast; None where there is more to see."""
        size, checksum = SIZE.fullmatch(header, 124, 136), CHECKSUM.fullmatch(header, 148, 156)
        if header[156:157] not in PLAIN or len(header) != tarfile.BLOCKSIZE or not size or not checksum:
            return None
        if int(checksum[1], 8) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            return None
        name, prefix = (field.partition(b"\0")[0].decode(encoding, errors) for field in (header[:100], header[345:500]))
        found = cls(f"{prefix}/{name}" if prefix else name)
        found.type, found.size = header[156:157], int(size[1], 8)
        if found.isdir():
            found.name = found.name.rstrip("/")
        return found

    def _proc_gnusparse_10(self, *_: Any) -> None:
        raise BrokenArchiveError("a map of a sparse file among its data")  # of any length


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Counted:
    """A stream that only goes forward, and ends in an error where more comes out of it than may."""

    def __init__(self, inner: _Readable, most: int) -> None:
        self.inner, self.most, self.count = inner, most, 0

    def read(self, size: int) -> bytes:
        if size < 0:
            raise BrokenArchiveError("a header of a negative size")
        found = b""
        while len(found) < size and (more := self.inner.read(size - len(found))):
            found += more
        self.count += len(found)
        if self.count > self.most:
            raise BrokenArchiveError(f"unpacks to more than {self.most:,} bytes")
        return found

    def tell(self) -> int:
        return self.count

    def seek(self, place: int) -> None:
        if place < self.count:
            raise BrokenArchiveError("a header that points back")
        while self.count < place and self.read(min(CHUNK_BYTES, place - self.count)):
            pass


def _decompressed(packed: IO[bytes], kind: str) -> _Readable:
    if kind == "gz":
        return igzip.IGzipFile(fileobj=packed)  # type: ignore[no-untyped-call]
    if kind == "bz2":
        return bz2.BZ2File(packed)
    if kind == "xz":
        return _Xz(packed)
    if kind == "zst":
        found: _Readable = pa.CompressedInputStream(pa.PythonFile(packed), "zstd")
        return found
    return packed


class _Xz:
    """xz within a limit of memory, which lzma.LZMAFile cannot be given."""

    def __init__(self, packed: IO[bytes]) -> None:
        self.packed, self.decompressor = packed, _xz_decompressor()

    def read(self, size: int) -> bytes:
        while True:
            if self.decompressor.eof:
                rest = self.decompressor.unused_data.lstrip(b"\0") or self.packed.read(CHUNK_BYTES).lstrip(b"\0")
                if not rest:
                    return b""
                self.decompressor = _xz_decompressor()
            else:
                rest = self.packed.read(CHUNK_BYTES) if self.decompressor.needs_input else b""
                if self.decompressor.needs_input and not rest:
                    raise EOFError("the xz stream has no end")
            if found := self.decompressor.decompress(rest, size):
                return found


def _xz_decompressor() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_XZ_MEMORY_BYTES)


def _zip_entries(path: Path, bounds: Bounds) -> Iterator[Entry]:
    size = _directory_bytes(path)
    if size > bounds.max_entries * 512:
        raise BrokenArchiveError(f"a table of contents of {size:,} bytes")
    files = zipfile.ZipFile(path)  # open for as long as an entry may be read
    members = files.infolist()
    if len(members) > bounds.max_entries:
        raise DroppedRepositoryError(f"more than {bounds.max_entries} entries", "repository_entries")
    budget = _Budget(bounds.most(path.stat().st_size))
    return (_zip_entry(files, member, budget) for member in members if not member.is_dir())


def _directory_bytes(path: Path) -> int:
    """The size of a zip's table of contents, as zipfile is going to read it."""
    with path.open("rb") as stream:
        length = stream.seek(0, 2)
        stream.seek(max(length - 65_557 - 20, 0))  # a comment of 64 kB, the record, and the locator before it
        tail = stream.read()
        place = tail.rfind(END_OF_DIRECTORY)
        if place < 0:
            raise BrokenArchiveError("no table of contents: the zip is cut off")
        found: int = struct.unpack_from("<L", tail, place + 12)[0]
        if place >= 20 and tail[place - 20 :].startswith(LOCATOR):
            stream.seek(struct.unpack_from("<Q", tail, place - 12)[0])
            found = max(found % 0xFFFFFFFF, struct.unpack_from("<Q", stream.read(56), 40)[0])
    return found


@dataclass
class _Budget:
    """What is left of the bytes that an archive may unpack to."""

    left_bytes: int


def _zip_entry(files: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> Entry:
    mode = member.external_attr >> 16 & 0o170000
    reason = ZIP_KINDS.get(mode, "not_regular")
    if reason:
        return Entry(readable_path(member.filename), 0, no_content, reason)
    return Entry(readable_path(member.filename), member.file_size, partial(_read_zipped, files, member, budget))


def _read_zipped(files: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    if member.compress_type not in ZIP_METHODS:
        raise UnreadableEntryError(f"compression method {member.compress_type}")
    budget.left_bytes -= member.file_size
    if budget.left_bytes < 0:
        raise UnreadableEntryError("the archive unpacks to more than it may")
    try:
        return files.read(member)
    except (*BROKEN, RuntimeError) as error:
        raise UnreadableEntryError(str(error) or type(error).__name__) from error
