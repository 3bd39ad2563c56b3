"""A server on this machine that behaves as GitHub documents: searches, commits, tarballs, ETags, faults on demand."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

NOON = 1_700_000_000.0


def made(name, stars=50, created="2020-05-17T10:00:00Z", spdx="MIT", **changed):
    """A repository as GitHub's search shows it."""
    return {
        "id": int(hashlib.sha256(name.encode()).hexdigest()[:8], 16), "full_name": name, "stargazers_count": stars,
        "created_at": created, "default_branch": "main", "fork": False, "topics": ["compiler"],
        "license": spdx and {"key": spdx.lower(), "spdx_id": spdx}, "language": "Python", "private": False,
    } | changed  # fmt: skip


def tarball(name, contents):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in contents.items():
            member = tarfile.TarInfo(f"{name.replace('/', '-')}-0123456/{path}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(stream.getvalue(), mtime=0)


class Github:
    """What the server has, what it was asked, and what it is to answer before it answers truly."""

    def __init__(self, *repositories):
        self.repositories = list(repositories)
        self.now = NOON
        self.asked = []  # (path, headers)
        self.faults = []  # (part of the path, status, headers, body); each is used once
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(round(seconds))
        self.now += seconds

    def paths(self, part=""):
        return [path for path, _ in self.asked if part in path]

    def answer(self, path):
        """(status, headers, body)"""
        parts = urlsplit(path)
        if parts.path == "/search/repositories":
            return self.search({key: value for key, [value] in parse_qs(parts.query).items()})
        _, owner, name, *rest = parts.path.strip("/").split("/")
        found = next((one for one in self.repositories if one["full_name"] == f"{owner}/{name}"), None)
        if found is None:
            return 404, {}, {"message": "Not Found"}
        if rest[:1] == ["commits"]:
            return 200, {}, hashlib.sha1(f"{owner}/{name}@{unquote(rest[1])}".encode()).hexdigest().encode()
        if rest[:1] == ["tarball"]:
            return 302, {"Location": f"/codeload/{owner}/{name}"}, b""
        if parts.path.startswith("/codeload"):
            return 200, {}, tarball(found["full_name"], {"a.py": f"name = {name!r}\n", "LICENSE": "x\n"})
        return 200, {}, found | {"parent": {"full_name": "upstream/" + name}}

    def search(self, query):
        wanted = dict(part.split(":", 1) for part in query["q"].split() if ":" in part)
        begin, end = wanted["created"].split("..")
        found = [
            one for one in self.repositories
            if begin <= one["created_at"] <= end
            and one["stargazers_count"] >= int(wanted["stars"].split("..")[0])
            and wanted.get("license") in {None, (one["license"] or {}).get("key")}
            and (wanted.get("fork") == "true" or not one["fork"])
        ]  # fmt: skip
        found.sort(key=lambda one: -one["stargazers_count"])
        page, size = int(query["page"]), int(query["per_page"])
        if page * size > 1000:
            return 422, {}, {"message": "Only the first 1000 search results are available"}
        return 200, {}, {"total_count": len(found), "incomplete_results": False,
                         "items": found[(page - 1) * size : page * size]}  # fmt: skip


@contextmanager
def serving(hub: Github) -> Iterator[str]:
    """The address of a server for `hub`."""

    class Handler(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp=None):
            return formatdate(hub.now, usegmt=True)

        def log_message(self, *_):
            pass

        def do_GET(self):
            hub.asked.append((self.path, dict(self.headers)))
            fault = next((one for one in hub.faults if one[0] in self.path), None)
            if fault:
                hub.faults.remove(fault)
            status, headers, body = fault[1:] if fault else hub.answer(self.path)
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            etag = f'"{hashlib.sha1(body).hexdigest()}"'
            if status == 200 and self.headers.get("If-None-Match") == etag:
                status, body = 304, b""
            self.send_response(status)
            for key, value in ({"Content-Length": str(len(body)), "ETag": etag} | headers).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
