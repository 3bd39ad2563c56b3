"""The crawl as a stage: several kinds of source, one of them unreadable, into one set of shards."""

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import contract
from pipelines.crawl import cache, files, retry
from pipelines.crawl.sources import git_objects
from pipelines.crawl.sources.archive import ArchiveSource
from pipelines.runner import run_stage
from pipelines.stage import load


@pytest.fixture
def git_repository(tmp_path) -> Path:
    folder = tmp_path / "cloned" / "thing"
    folder.mkdir(parents=True)
    (folder / "b.py").write_text("b = 1\n")
    (folder / "a.bin").write_bytes(b"\0")
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "m"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    return folder


def test_every_source_ends_up_in_the_shards(sources, settings, run_stages, run_folder, git_repository):
    sources({"one/a.py": "a = 1\n", "one/empty.py": "", "two/z.py": "z = 1\n"})
    listed = [*settings["crawl"]["sources"], {"kind": "git", "url": f"file://{git_repository}", "num_stars": 9},
              {"kind": "git", "url": "file:///no/such/repository"}]  # fmt: skip
    done = run_stages("crawl", crawl={"sources": listed, "num_shards": 2, "row_group_bytes": 1})["crawl"]
    assert (done.counts.rows, done.counts.kept) == (6, 3)
    assert done.counts.dropped == {"binary": [1, 1], "empty": [1, 0], "unreadable_repository": [1, 0]}
    rows, groups = [], []
    for shard in done.shards:
        with pq.ParquetFile(Path(run_folder, "crawl", shard)) as file:
            assert not list(contract.mismatches(file.schema_arrow, contract.FILE))
            for number in range(file.num_row_groups):
                group = file.read_row_group(number).to_pylist()
                groups.append({row["repository"] for row in group if row["path"] != "."})
                rows += group
    assert all(len(names) == 1 for names in groups)
    assert {(row["repository"], row["path"]): (row["content"], row["num_stars"]) for row in rows} == {
        ("cloned/thing", "a.bin"): ("", 9),
        ("cloned/thing", "b.py"): ("b = 1\n", 9),
        ("one", "a.py"): ("a = 1\n", 0),
        ("one", "empty.py"): ("", 0),
        ("such/repository", "."): ("", 0),
        ("two", "z.py"): ("z = 1\n", 0),
    }
    counted = [json.loads(file.read_text()) for file in Path(run_folder, "crawl", "progress").glob("files-*.json")]
    assert {name: sum(one[name] for one in counted) for name in counted[0]} == {
        "repositories": 4, "files": 6, "bytes": done.counts.kept_bytes
    }  # fmt: skip
    listing = pq.read_table(Path(run_folder, "crawl", "repositories.parquet")).to_pylist()
    assert [(row["repository"], row["reason"]) for row in listing] == [
        ("cloned/thing", None),
        ("one", None),
        ("such/repository", "unreadable_repository"),
        ("two", None),
    ]


def test_an_unchanged_input_is_not_crawled_again_and_a_changed_one_is(sources, run_stages):
    sources({"one/a.py": "a = 1\n"})
    first = run_stages("crawl")["crawl"]
    assert run_stages("crawl")["crawl"] == first
    sources({"one/a.py": "a = 2\n"})
    assert run_stages("crawl")["crawl"].recipe != first.recipe


def shard_bytes(run_folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(run_folder, "crawl").glob("files-*.parquet"))}


@pytest.fixture
def packed(tmp_path) -> Callable[..., list[dict]]:
    """Writes zip archives (name -> path -> content), and returns the sources that read them."""

    def write(**archives: dict[str, str]) -> list[dict]:
        (tmp_path / "packed").mkdir(exist_ok=True)
        for name, contents in archives.items():
            with zipfile.ZipFile(tmp_path / "packed" / f"{name}.zip", "w") as file:
                for path, content in contents.items():
                    file.writestr(zipfile.ZipInfo(path), content)  # of one date, so of the same bytes
        return [{"kind": "archive", "path": str(tmp_path / "packed" / "*.zip")}]

    return write


ARCHIVES = {f"r{number}": {f"{file:03}.py": f"x = {number * file}\n" * 9 for file in range(150)} for number in range(5)}


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The names of the repositories whose archives were opened, in that order."""
    opened: list[str] = []
    entries = ArchiveSource.entries
    monkeypatch.setattr(
        ArchiveSource, "entries", lambda self, found, *more: (opened.append(found.name), entries(self, found, *more))[1]
    )
    return opened


def test_a_list_that_grew_is_crawled_where_it_grew_and_the_bytes_are_those_of_a_fresh_crawl(
    packed, read, run_stages, run_folder, tmp_path
):
    crawl = {"num_shards": 2, "row_group_bytes": 30_000}
    some = {name: ARCHIVES[name] for name in ("r0", "r1", "r3")}
    run_stages("crawl", crawl={**crawl, "sources": packed(**some)})
    assert sorted(read) == ["r0", "r1", "r3"]
    read.clear()
    changed = {**ARCHIVES, "r1": {"new.py": "new = 1\n"}}
    sources = packed(**changed)
    run_stages("crawl", crawl={**crawl, "sources": sources})
    assert sorted(read) == ["r1", "r2", "r4"]
    fresh = run_stage(load("crawl"), str(tmp_path / "fresh"), {"crawl": {**crawl, "sources": sources}})
    assert fresh.counts.rows == 4 * 150 + 1
    assert shard_bytes(run_folder) == shard_bytes(str(tmp_path / "fresh"))


CHANGES = [{"max_file_bytes": 50}, {"num_shards": 1}]  # other limits, and shards of other names


@pytest.mark.parametrize("change", CHANGES)
def test_where_more_than_the_list_changed_all_is_read_again(packed, read, run_stages, change):
    sources = packed(r0=ARCHIVES["r0"])
    run_stages("crawl", crawl={"num_shards": 2, "sources": sources})
    run_stages("crawl", crawl={"num_shards": 2, "sources": sources, **change})
    assert read == ["r0", "r0"]


def test_a_damaged_shard_is_read_again(packed, read, run_stages, run_folder):
    run_stages("crawl", crawl={"num_shards": 1, "sources": packed(**ARCHIVES)})
    [path] = Path(run_folder, "crawl").glob("files-*.parquet")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 0xFF
    path.write_bytes(damaged)
    run_stages("crawl", crawl={"num_shards": 1, "sources": packed(z={"a.py": "a"})})
    assert {row["repository"] for row in pq.read_table(path).to_pylist()} == {*ARCHIVES, "z"}


def test_what_could_not_be_read_is_tried_again_when_asked_for(git_repository, run_stages, run_folder, packed, read):
    url, away = f"file://{git_repository}", git_repository.with_name("away")
    sources = [{"kind": "git", "url": url, "revision": head(git_repository)}, *packed(r0=ARCHIVES["r0"])]
    git_repository.rename(away)
    crawl = {"sources": sources, "num_shards": 1}
    first = run_stages("crawl", crawl=crawl)["crawl"]
    assert first.counts.dropped == {"unreadable_repository": [1, 0]}
    away.rename(git_repository)
    assert run_stages("crawl", crawl=crawl)["crawl"] == first  # what is done is skipped
    assert retry.ask(run_folder) == 1
    second = run_stages("crawl", crawl=crawl)["crawl"]
    assert (second.counts.kept, second.counts.dropped) == (151, {"binary": [1, 1]})
    assert second.recipe != first.recipe
    assert read == ["r0"]
    assert retry.ask(run_folder) == 0  # nothing failed, so nothing is crawled again
    assert run_stages("crawl", crawl=crawl)["crawl"] == second


def commit_again(folder: Path, content: str) -> None:
    (folder / "b.py").write_text(content)
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, "commit", "--quiet", "--all", "--message", "m"], check=True)


def clones(run_folder: str) -> set[str]:
    """The commits that were cloned and are still there."""
    return {path.name.split("-")[0] for path in Path(run_folder, "crawl", "sources", "git").glob("*/*")}


def head(folder: Path) -> str:
    return git_objects.run(str(folder), "rev-parse", "HEAD").decode().strip()


def cut_off(_: object) -> int:
    raise RuntimeError("cut off")


def test_a_clone_goes_when_a_whole_crawl_has_another(git_repository, run_stages, run_folder, monkeypatch):
    sources = [{"kind": "git", "url": f"file://{git_repository}"}]
    run_stages("crawl", crawl={"sources": sources})
    first = head(git_repository)
    assert clones(run_folder) == {first}
    commit_again(git_repository, "b = 2\n")
    with monkeypatch.context() as patched:
        patched.setattr(files, "kept_bytes", cut_off)
        with pytest.raises(RuntimeError, match="cut off"):
            run_stages("crawl", crawl={"sources": sources})
    assert clones(run_folder) == {first, head(git_repository)}
    unfinished = Path(run_folder, "crawl", "sources", "github", "x.tmp")  # a download
    unfinished.mkdir(parents=True)
    run_stages("crawl", crawl={"sources": sources})
    assert clones(run_folder) == {head(git_repository)}
    assert not unfinished.exists()
    run_stages("crawl", crawl={"sources": [{"kind": "installed", "max_total_bytes": 1}]})
    assert list(Path(run_folder, "crawl", "sources", "git").iterdir()) == []


def test_a_clone_stays_for_another_crawl_of_its_commit(git_repository, run_stages, run_folder, monkeypatch, packed):
    fetched, run = [], git_objects.run
    monkeypatch.setattr(git_objects, "run", lambda folder, command, *arguments, **more: (
        fetched.append(arguments[-1]) if command == "fetch" else None, run(folder, command, *arguments, **more))[1]
    )  # fmt: skip
    crawl = {"sources": [{"kind": "git", "url": f"file://{git_repository}"}]}
    run_stages("crawl", crawl=crawl)
    crawl["sources"] += packed(r0={"a.py": "a"})
    run_stages("crawl", crawl=crawl)  # carried over, and so not read
    run_stages("crawl", crawl=crawl | {"max_path_bytes": 100})  # read again
    away = git_repository.with_name("away")
    git_repository.rename(away)
    done = run_stages("crawl", crawl=crawl | {"max_path_bytes": 200})["crawl"]  # nobody says what the commit is
    assert done.counts.dropped["unreadable_repository"] == [1, 0]
    away.rename(git_repository)
    done = run_stages("crawl", crawl=crawl | {"max_path_bytes": 300})["crawl"]
    assert done.counts.kept == 2
    assert fetched == [head(git_repository)]


def test_tables_that_were_brought_together_go_when_there_are_others(run_stages, run_folder, tmp_path):
    for text in ("one", "two"):
        row = {"max_stars_repo_name": "o/n", "max_stars_repo_path": "a.py", "content": text}
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / "table.parquet")
        run_stages("crawl", crawl={"sources": [{"kind": "stack", "tables": str(tmp_path / "table.parquet")}]})
        assert len(list(Path(run_folder, "crawl", "sources", "stack").iterdir())) == 1


def test_what_a_killed_crawl_left_half_made_is_removed(tmp_path):
    for name in ("git/a/b-1.x.tmp/objects", "stack/c.tmp", "git/a/b-1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "git/a/.answer.json.0a.tmp").touch()
    cache.remove_unfinished(str(tmp_path))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "git", "git/a", "git/a/b-1", "stack",
    ]  # fmt: skip
