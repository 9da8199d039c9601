"""Export as JSON lines, and import: from one database to the other, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.journal.conftest import NOON, Home

from saveit_remediate.errors import RefusedError, RemediateError, UsageError
from saveit_remediate.journal import open_journal
from saveit_remediate.journal.transfer import from_lines, to_lines

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


@pytest.fixture
def exported(home: Home, written: Callable[..., Any]) -> list[str]:
    written(home, "one", "two", "one")
    with closing(home.open()) as journal:
        journal.append("two", "text", {"words": "ü \0 \ud800 {{ x }}", "deep": [1, None, 0.5, 10**30]}, NOON)
        return list(to_lines(*journal.whole()))


def put(home: Home, lines: list[str]) -> int:
    with closing(home.open()) as journal:
        return journal.add(from_lines(lines, "a test"))


def test_what_was_exported_is_the_same_elsewhere(home: Home, exported: list[str], tmp_path: Path) -> None:
    other = Home(str(tmp_path / "other.db"), tmp_path)
    with closing(other.open()) as journal:
        journal.append("three", "event", {}, NOON)
    assert [put(other, exported), put(other, exported)] == [4, 0]
    assert (other.verify().bad, other.verify().events) == ("", 5)
    with closing(home.read()) as one, closing(other.read()) as two:
        assert one.events("two") == two.events("two")
    with closing(other.open()) as journal:
        journal.append("two", "event", {}, NOON)
        again = list(to_lines(*journal.whole()))
    assert put(home, again) == 2  # and back, with what came to it
    assert home.verify().bad == ""


def test_another_content_is_refused_and_nothing_is_imported(exported: list[str], tmp_path: Path) -> None:
    other = Home(str(tmp_path / "other.db"), tmp_path)
    with closing(other.open()) as journal:
        journal.append("two", "event", {"n": "another"}, NOON)
    with pytest.raises(
        RefusedError, match="incident two is in this journal with another content, from event 1"
    ):
        put(other, exported)
    with closing(other.read()) as journal:
        assert journal.incidents() == ["two"]


def changed(lines: list[str], number: int, **fields: Any) -> list[str]:
    return [
        json.dumps({**json.loads(one), **fields}) if at == number else one for at, one in enumerate(lines)
    ]


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        (lambda lines: lines[:-1], RefusedError, "its last line, the head, is missing; it was cut off"),
        (lambda lines: [*lines[:-2], lines[-1]], RefusedError, "there were 4 events, and 3 are left"),
        (lambda lines: lines[1:], RefusedError, "position 1 of the journal, at the beginning, was removed"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], RefusedError, "position 1 of the journal"),
        (lambda lines: [*lines, lines[0]], RefusedError, "line 6 of a test: it comes after the head"),
        (lambda lines: changed(lines, 2, kind="x"), RefusedError, r"one \(position 3\) was changed"),
        (lambda lines: changed(lines, 2, token="x"), RefusedError, r"\(position 3\) was changed or moved"),
        (lambda lines: changed(lines, 2, position="3"), UsageError, "line 3 of a test: it is no event"),
        (lambda lines: changed(lines, 2, payload=[]), UsageError, "line 3 of a test: it is no event"),
        (lambda lines: changed(lines, 2, sequence=True), UsageError, "line 3 of a test: it is no event"),
        (lambda lines: changed(lines, 2, incident_id="\0"), UsageError, "line 3 of a test: it is no event"),
        (lambda lines: changed(lines, 4, head=None), UsageError, "line 5 of a test: it is no event"),
        (lambda lines: ["{", *lines], UsageError, "line 1 of a test: it is no event"),
        (lambda lines: ["[" * 100_000, *lines], UsageError, "line 1 of a test: it is no event"),
        (lambda _lines: [], RefusedError, "it was cut off"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_whole_is_refused(
    tmp_path: Path, change: Callable[[list[str]], list[str]], error: type[RemediateError], sentence: str
) -> None:
    with closing(open_journal(tmp_path / "j.db")) as journal:
        for number, name in enumerate(("one", "two", "one", "two")):
            journal.append(name, "event", {"n": number}, NOON)
        lines = list(to_lines(*journal.whole()))
    with pytest.raises(error, match=sentence):
        from_lines(change(lines), "a test")


def test_the_commands(site: Site) -> None:
    with closing(open_journal(site.folder / "journal.db")) as journal:
        journal.append("one", "closed", {}, NOON)
    exported = site.run("journal", "export")
    file = site.write("all.jsonl", exported.stdout)
    elsewhere = {"SAVEIT_JOURNAL": str(site.folder / "elsewhere.db")}
    for sentence in ("1 events added, 0 were there already\n", "0 events added, 1 were there already\n"):
        assert site.run("journal", "import", str(file), **elsewhere).stdout == sentence
    assert site.run("journal", "export", **elsewhere).stdout == exported.stdout
    with closing(open_journal(site.folder / "journal.db")) as journal, journal.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE events SET kind = 'opened'")
    for arguments in (["verify"], ["verify", "--json"], ["export"]):
        done = site.run("journal", *arguments)
        assert done.returncode == 3
        assert "event 1 of incident one (position 1) was changed" in done.stdout + done.stderr
    missing = site.run("journal", "import", "nowhere.jsonl")
    assert (missing.returncode, "cannot read nowhere.jsonl" in missing.stderr) == (2, True)
