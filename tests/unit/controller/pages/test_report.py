"""Figures over many incidents, and the metrics made of them."""

from __future__ import annotations

import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic
from rich.console import Console
from tests.unit.controller.pages.conftest import LATER, RECORDED, Book, fill

from saveit_remediate.errors import UnreachableError, UsageError
from saveit_remediate.report.due import due_of
from saveit_remediate.report.facts import facts_of
from saveit_remediate.report.figures import figures_of, rank
from saveit_remediate.report.figures_tables import figures_tables
from saveit_remediate.report.openmetrics import State, server, text, write_textfile

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


def more(
    book: Book, name: str, days: int, *changes: tuple[str, dict[str, Any]], drop: tuple[str, ...] = ()
) -> None:
    """Another incident like the recorded one, some days before it, with other payloads and events."""
    changed = dict(changes)
    events = [
        {**event, "payload": {**event["payload"], **changed.get(event["kind"], {})}}
        for event in RECORDED["events"]
        if event["kind"] not in drop
    ]
    fill(book.journal, name, events, timedelta(days=-days))


def state(book: Book) -> State:
    every = [facts_of(book.journal.events(one)) for one in book.journal.incidents()]
    due = [due_of(facts, book.templates.rules(), LATER) for facts in every]
    return every, [one for one in due if one is not None]


@pytest.fixture
def many(book: Book) -> Book:
    touched = ("remedy-started", "remedy-finished", "verified", "judged")
    more(book, "20261125-230640-application-0001", 1, ("closed", {"severity": "sev1"}))
    more(
        book, "20261124-230640-application-0002", 2, ("closed", {"outcome": "unresolved"}), drop=("verified",)
    )
    more(book, "20261123-230640-application-0003", 3, ("closed", {"outcome": "healthy"}), drop=touched)
    more(
        book,
        "20261122-230640-application-0004",
        4,
        ("opened", {"check": True}),
        ("closed", {"outcome": "planned"}),
    )
    more(book, "20261121-230640-application-0005", 5, ("closed", {"outcome": "resumed"}))
    more(book, "20261120-230640-application-0006", 6, drop=("closed", "judged", "verified"))
    book.journal.append(
        "20261125-230640-application-0001", "agreed", {"sentence": "a person was asked"}, LATER
    )
    book.add("acknowledged", book.facts().opened + timedelta(seconds=20), by="anna")
    return book


def test_looks_checks_and_resumed_records_are_no_incidents(many: Book) -> None:
    found = figures_of(state(many)[0])
    assert (found.incidents, found.looks, found.recovered, found.unfinished) == (4, 2, 2, 1)
    assert (found.alone, found.alone_percent) == (1, 50.0)
    assert found.by_type == (("application", "sev1", 1), ("application", "sev2", 3))
    assert found.repeats == (("application", "lab", 4),)


def test_times_are_of_those_where_it_happened(many: Book) -> None:
    times = {one.name: one for one in figures_of(state(many)[0]).times}
    assert (times["acknowledge"].count, times["acknowledge"].median) == (1, 20.0)
    assert times["first action"].count == 4
    assert times["recovery"].p90 == pytest.approx(51.878, abs=0.001)


def test_remedies_by_success(many: Book) -> None:
    results = {
        one.remedy: (one.times, one.helped, one.no_help, one.unknown)
        for one in figures_of(state(many)[0]).remedies
    }
    assert results == {"recreate": (4, 2, 0, 2), "restart": (4, 0, 2, 2)}


def test_of_nothing_there_is_no_data() -> None:
    found = figures_of([])
    assert (found.incidents, found.alone_percent) == (0, None)
    assert [(one.count, one.median, one.p90) for one in found.times] == [(0, None, None)] * 3


@pytest.mark.parametrize(
    ("values", "part", "wanted"),
    [([], 0.5, None), ([7], 0.9, 7), ([1, 2], 0.5, 1), ([1, 2, 3], 0.5, 2), (list(range(1, 11)), 0.9, 9)],
)
def test_a_percentile_is_a_value_that_was(values: list[float], part: float, wanted: float | None) -> None:
    assert rank(values, part) == wanted


def value(families: Any, name: str, **labels: str) -> float:
    found = [
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(found) == 1, found
    return float(found[0])


def test_openmetrics_is_what_a_parser_takes(many: Book) -> None:
    families = list(openmetrics(text(lambda: state(many))))
    of = {"incident": "application", "severity": "sev2", "outcome": "recovered"}
    assert value(families, "saveit_remediate_incidents_total", **of) == 1
    assert value(families, "saveit_remediate_remedies_total", remedy="recreate", result="helped") == 2
    assert value(families, "saveit_remediate_time_to_recovery_seconds_bucket", le="60.0") == 2
    assert value(families, "saveit_remediate_open_incidents") == 1
    assert value(families, "saveit_remediate_unattended_recoveries_total", incident="application") == 1
    assert value(families, "saveit_remediate_postmortems_due") == 3


def test_the_textfile_is_what_the_node_exporter_takes(many: Book, tmp_path: Path) -> None:
    path = tmp_path / "saveit.prom"
    path.write_text("old")
    write_textfile(path, lambda: state(many))
    assert value(list(classic(path.read_text())), "saveit_remediate_open_incidents") == 1
    assert [one.name for one in tmp_path.glob("saveit*")] == ["saveit.prom"]
    with pytest.raises(UsageError, match="cannot write the metrics to"):
        write_textfile(tmp_path / "nowhere" / "x.prom", lambda: state(many))


def test_a_label_with_odd_words_is_still_one_line(book: Book) -> None:
    odd = 'quote " backslash \\ line\nend 🚒'
    more(book, "20261125-230640-odd-0001", 1, ("opened", {"incident": odd}))
    families = list(openmetrics(text(lambda: state(book))))
    assert (
        value(families, "saveit_remediate_incidents_total", incident='quote " backslash \\ line end 🚒') == 1
    )


@contextmanager
def listening(read: Any) -> Iterator[str]:
    with server("127.0.0.1", 0, read) as one:
        threading.Thread(target=one.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{one.server_port}/metrics"
        one.shutdown()


def test_each_scrape_reads_the_journal_anew(book: Book) -> None:
    states = [state(book)]
    with listening(lambda: states[-1]) as url:
        wants = {"Accept": "application/openmetrics-text; version=1.0.0"}
        asked = urllib.request.Request(url, headers=wants)  # noqa: S310
        assert value(list(openmetrics(_get(asked))), "saveit_remediate_open_incidents") == 0
        book.add("reopened", reason="again")
        states.append(state(book))
        assert value(list(openmetrics(_get(asked))), "saveit_remediate_open_incidents") == 1
        assert "text/plain" in urllib.request.urlopen(url).headers["Content-Type"]  # noqa: S310


def _get(asked: urllib.request.Request) -> str:
    with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
        return str(answer.read().decode())


def test_a_journal_that_is_away_is_said_and_the_next_scrape_may_work(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def away() -> State:
        raise UnreachableError("cannot read the journal x: refused")

    with listening(away) as url, pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=5)  # noqa: S310
    assert caught.value.code == 503
    assert caught.value.read() == b"cannot read the journal x: refused\n"
    assert capfd.readouterr().err == ""


def test_a_terminal_gets_the_same_figures_as_tables(many: Book) -> None:
    screen = Console(width=100, record=True, file=io.StringIO())
    screen.print(figures_tables(figures_of(state(many)[0]), "30d"))
    shown = screen.export_text()
    assert "4 incidents in 30d, 2 recovered, 1 of them without a person (50 %)" in " ".join(shown.split())
    assert all(words in shown for words in ("acknowledge", "recreate", "Repeat offenders"))


def test_a_port_that_is_taken_is_a_sentence(book: Book) -> None:
    with listening(lambda: ([], [])) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            server("127.0.0.1", port, lambda: ([], []))


def test_the_commands_end_to_end(site: Site) -> None:
    """Report and post-mortem of a run of the command, as a person types them."""
    site.json("--yes")
    written = json.loads(site.run("postmortem", "last", "--json", "--status", "in-review").stdout)
    assert Path(written["html"]).read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (written["status"], Path(written["markdown"]).suffix) == ("in-review", ".md")
    due = site.run("postmortem", "--due").stdout
    assert f"{written['incident_id']}\tsev2\tin-review\tdue\t" in due
    again = site.run("postmortem", "last", "--output", "pages", "--status", "reviewed")
    assert site.run("postmortem", "--due").stdout == ""
    assert again.stdout.splitlines()[1] == str(site.folder / "pages" / f"{written['incident_id']}.html")
    assert "incidents\t1\nrecovered\t1\nrecovered without a person\t1\t100 %" in site.run("report").stdout
    site.write("templates/postmortem.yml", "schema: 9\n")
    made = site.run("report", "--html", "r.html", "--textfile", "m.prom", "--openmetrics")
    assert "lacks the key 'windows'; the default rules of post-mortems are used" in made.stderr
    assert value(list(openmetrics(made.stdout)), "saveit_remediate_postmortems_due") == 0
    assert value(list(classic((site.folder / "m.prom").read_text())), "saveit_remediate_postmortems_due") == 0
    assert "1 incident in 30d" in (site.folder / "r.html").read_text()
    for wrong in (("postmortem",), ("report", "--since", "1y")):
        done = site.run(*wrong)
        assert (done.returncode, done.stdout) == (2, "")
