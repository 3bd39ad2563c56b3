"""Repositories of GitHub, or of a GitHub Enterprise server: searched for, and fetched one by one at a pinned commit."""

import json
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from itertools import product
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, field_validator, model_validator

from pipelines.config import StageConfig
from pipelines.crawl.licences.expressions import spelled
from pipelines.crawl.limits import Limits
from pipelines.crawl.sources import github_search
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.crawl.sources.git import OBJECT_ID, GitSource
from pipelines.crawl.sources.github_client import SHA, Client, GithubError, is_safe
from pipelines.crawl.sources.source import DroppedRepositoryError, Entry, Repository

LOG = logging.getLogger("pipelines")
LATER = re.compile("-(only|or-later)$")  # which GitHub does not tell
PUBLIC_API = "https://api.github.com"


class GithubSource(StageConfig):
    ROW_SETTINGS: ClassVar[tuple[str, ...]] = ("fetch",)

    kind: Literal["github"] = "github"
    created_before: date  # the snapshot date, UTC
    created_from: date = date(2007, 10, 1)  # before the first repository
    min_stars: int = Field(10, ge=0)
    max_stars: int | None = Field(None, ge=0)
    languages: tuple[str, ...] = ()  # the main language of a repository, as GitHub names it; any, where none is given
    licenses: tuple[str, ...] = ()  # SPDX identifiers, as GitHub knows them; any, where none is given
    query: str = ""  # further qualifiers of GitHub's search, as in `topic:compiler archived:false`
    forks: bool = False
    max_repositories: int | None = Field(None, gt=0)  # those with most stars
    as_of: str = ""  # a name for what is listed now, such as a date: another one lists, and pins commits, anew
    fetch: Literal["tarball", "clone"] = "tarball"
    max_download_bytes: int = Field(1_000_000_000, gt=0)
    max_download_seconds: int = Field(3600, gt=0)
    token_variable: str = "GITHUB_TOKEN"  # the environment variable that holds a token; without one limits are lower
    api: str = PUBLIC_API  # of GitHub Enterprise: https://HOST/api/v3
    allowed_hosts: tuple[str, ...] = ("codeload.github.com",)  # where the API may redirect to, beside its own host

    @field_validator("api")
    @classmethod
    def _is_safe(cls, api: str) -> str:
        if not is_safe(api) or not urlsplit(api).hostname:
            raise ValueError(f"expected https://HOST, such as {PUBLIC_API} or https://HOST/api/v3")
        return api.rstrip("/")

    @field_validator("licenses")
    @classmethod
    def _are_spdx(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in names if not spelled(name)]:
            raise ValueError(f"{unknown[0]!r} is no identifier of the SPDX list: see https://spdx.org/licenses")
        return names

    @field_validator("languages")
    @classmethod
    def _can_be_quoted(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any('"' in name or not name.strip() for name in names):
            raise ValueError('a name may not be empty or hold a `"`')
        return names

    @model_validator(mode="after")
    def _has_a_range(self) -> "GithubSource":
        if self.created_from >= self.created_before:
            raise ValueError(f"created_before ({self.created_before}) must be after created_from ({self.created_from})")
        return self

    def fingerprint(self) -> str:
        """What is listed stays as it is until `as_of` says otherwise: stars and commits change every minute."""
        return self.as_of

    def repositories(self, cache_folder: str) -> Iterator[Repository]:
        client = self._client(cache_folder)
        try:
            found = self._searched(client)
        except GithubError as error:
            raise ValueError(
                f"crawl source github: the search stopped: {error}; what is listed is kept, so run again"
            ) from error
        for number, row in enumerate(found, 1):
            yield self._repository(client, row)
            client.progress("%d of %d commits known", number, len(found))

    def entries(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        if self.fetch == "clone":
            url = f"{self._web()}/{repository.name}.git"
            source = GitSource(url=url, name=repository.name, revision=repository.revision, keep_clone=False)
            return source.entries(repository, limits, cache_folder)
        return self._unpacked(repository, limits, cache_folder)

    def kept(self, repository: Repository, limits: Limits) -> str:
        return ""

    def _unpacked(self, repository: Repository, limits: Limits, cache_folder: str) -> Iterator[Entry]:
        """The entries of the tarball, which is whole before the first is read, and gone after the last."""
        parent = os.path.join(cache_folder, "github")
        os.makedirs(parent, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, suffix=".tmp") as folder:
            file = os.path.join(folder, "repository.tar.gz")
            path = f"/repos/{repository.name}/tarball/{repository.revision}"
            self._client(cache_folder).download(path, file, self.max_download_bytes, self.max_download_seconds)
            try:
                yield from ArchiveSource(path=file).entries(replace(repository, location=file), limits, cache_folder)
            except DroppedRepositoryError as error:
                if error.reason != "broken_archive":
                    raise
                # So that it is fetched again, where an archive of one's own is not.
                raise GithubError(f"tarball: {error}") from error

    def _searched(self, client: Client) -> list[dict[str, Any]]:
        """Every repository once, those with most stars first."""
        begin, end = (datetime(day.year, day.month, day.day, tzinfo=UTC)
                      for day in (self.created_from, self.created_before))  # fmt: skip
        found: dict[int, dict[str, Any]] = {}
        for qualifiers in self._searches():
            LOG.info("crawl: github: %d match %s", github_search.count(client, qualifiers, begin, end), qualifiers)
            listed = github_search.repositories(client, qualifiers, begin, end)
            found |= {row["id"]: row for row in listed if self.forks or not row["is_fork"]}
        named = {row["name"]: row for row in found.values()}  # a name may pass to another while the list is made
        rows = sorted(named.values(), key=lambda row: (-row["num_stars"], row["name"]))
        chosen = rows[: self.max_repositories]
        LOG.log(logging.INFO if rows else logging.WARNING, "crawl: github: %d of %d found", len(chosen), len(rows))
        return chosen

    def _searches(self) -> Iterator[str]:
        """One search for each language and licence: of several in one, GitHub does not say how they go together."""
        stars = f"stars:{self.min_stars}..{'*' if self.max_stars is None else self.max_stars}"
        always = [self.query, stars, "fork:true" if self.forks else ""]
        languages = [f'language:"{name}"' for name in self.languages] or [""]
        licenses = [f"license:{LATER.sub('', name).lower()}" for name in self.licenses] or [""]
        for chosen in product(languages, licenses):
            yield " ".join(part for part in (*always, *chosen) if part)

    def _repository(self, client: Client, row: dict[str, Any]) -> Repository:
        described = Repository(
            name=row["name"], revision="", license=row["license"], num_stars=row["num_stars"],
            location=f"{self._web()}/{row['name']}", default_branch=row["default_branch"],
            topics=tuple(row["topics"]), created_at=row["created_at"],
        )  # fmt: skip
        try:
            parent = client.get(f"/repos/{row['name']}", _parent) if row["is_fork"] else ""
            branch = quote(row["default_branch"], safe="")
            commit = client.get(f"/repos/{row['name']}/commits/{branch}", _commit, SHA)
            return replace(described, revision=commit, fork_of=parent)
        except GithubError as error:
            return replace(described, reason=error.reason, detail=str(error))

    def _client(self, cache_folder: str) -> Client:
        token = os.environ.get(self.token_variable, "").strip()
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise ValueError(
                f"crawl source github: what {self.token_variable} holds is no token: it has other characters"
            )
        if not token and "token_variable" in self.model_fields_set:
            raise ValueError(
                f"crawl source github: token_variable: the environment has no {self.token_variable}; "
                "export a token there, or leave the setting out to ask without one"
            )
        return _client(self.api, frozenset(self.allowed_hosts), cache_folder, self.as_of, token)

    def _web(self) -> str:
        """Where people and git find what the API describes."""
        parts = urlsplit(self.api)
        return "https://github.com" if self.api == PUBLIC_API else f"{parts.scheme}://{parts.netloc}"


@cache
def _client(api: str, hosts: frozenset[str], cache_folder: str, listing: str, token: str) -> Client:
    """One for a process: it knows when the next request may be sent."""
    return Client(api, hosts, cache_folder, listing, token)


def _parent(body: bytes) -> str:
    return str((json.loads(body).get("parent") or {}).get("full_name") or "")


def _commit(body: bytes) -> str:
    found = body.decode("ascii", "replace").strip()
    if not OBJECT_ID.fullmatch(found):
        raise GithubError(f"expected a commit, got {found[:60]!r}")
    return found
