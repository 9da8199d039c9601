"""The post-mortem: what it says follows from the record, and what people wrote into it stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.unit.controller.pages.conftest import ENDED, LATER, Book, curve

from saveit_remediate.errors import RefusedError, UsageError
from saveit_remediate.notify.moments import moments
from saveit_remediate.report.due import due_of
from saveit_remediate.report.prometheus import Answer
from saveit_remediate.respond.reminding import remind

SECTIONS = ["1. Timeline", "2. Root cause", "3. Impact", "4. Resolution", "5. Action items"]


def section(text: str, name: str) -> str:
    return text.split(f"<!-- saveit: {name} -->", 1)[1].split("<!-- /saveit:", 1)[0]


def test_it_has_the_five_sections_in_order(book: Book) -> None:
    assert re.findall(r"^## (.+)$", book.markdown(), re.MULTILINE) == SECTIONS


def test_the_timeline_has_exact_times_and_numbers_the_remedies(book: Book) -> None:
    rows = section(book.markdown(), "timeline")
    assert "| 2026-11-26 23:06:49.574 | +9.3 s | remedy-started 1 | Restart the service |" in rows
    assert "| verified 2 | recovered: every criterion was met for 8.4 s |" in rows


def test_root_cause_is_a_draft_of_findings_with_evidence(book: Book) -> None:
    text = section(book.markdown(), "root-cause")
    assert "**Draft.**" in text
    assert "**application-not-ready** on lab" in text
    assert "| application.failed_percent | lab | 100.0 |" in text
    assert "| application.exit_code | lab | no data |" in text


def test_resolution_says_what_each_remedy_did(book: Book) -> None:
    text = section(book.markdown(), "resolution")
    assert re.search(r"\| 1 \| Restart the service \| lab \| 23:06:49.574 \| 4.1 s \| no help \|", text)
    assert re.search(r"\| 2 \| Make the container anew .* \| helped \|", text)


def test_impact_is_counted_from_prometheus(book: Book) -> None:
    text = section(book.markdown(ask=curve), "impact")
    assert "| Duration | 52 s |" in text
    assert "| Requests failed | about 519 |" in text
    assert "| Error budget | 51.9 % of what 99.9 % in 30 days allows |" in text
    assert "| Users affected | no data: no query is set" in text


def test_what_a_remedy_left_changed_is_to_be_put_back(book: Book) -> None:
    change = {"id": "c1", "what": "memory limit", "before": "512 MiB", "after": "1 GiB"}
    book.add("still-changed", changes=[change], host="lab")
    text = book.markdown()
    assert "memory limit on lab: 512 MiB is 1 GiB now" in section(text, "resolution")
    assert "put it back with: saveit-remediate revert c1" in section(text, "action-items")
    book.add("put-back", id="c1")
    assert "Nothing is known to be still changed." in book.markdown()


def test_a_remedy_that_did_not_help_is_a_question_to_the_runbook(book: Book) -> None:
    assert "restart on lab was tried before recreate" in section(book.markdown(), "action-items")


def test_without_prometheus_there_is_no_data_and_never_zero(book: Book) -> None:
    text = book.markdown()
    assert text.count("no data: no Prometheus is set") == 4  # three charts, and the requests that failed
    assert "0 before" not in text


NOTHING = Answer(why="Prometheus has no such series (an empty result)")


def test_what_the_tool_measured_is_drawn_where_prometheus_has_nothing(book: Book) -> None:
    opened = book.facts().opened.timestamp()
    series = [[opened - 60, 0], [opened + 5, 8.0], [opened + 10, None], [opened + 600, "x"], "odd"]
    said = "our own probes of ready"
    book.add("measured", what="probe", chart="errors", unit="failed probes/s", series=series, said=said)
    content = book.write(ask=lambda *_: NOTHING).content
    errors = content.charts[0]
    assert errors.caption == "0 before, at most 8 while it lasted, 8 at the end (failed probes/s)"
    assert errors.source == f"{said}, as recorded ({NOTHING.why})"
    assert "no data" in content.charts[1].svg
    failed = dict(content.impact)["Requests failed"]
    assert failed == f"no data: {NOTHING.why}; of the tool's own probes about 415 failed"


def test_what_prometheus_said_then_counts_more_than_probes(book: Book) -> None:
    opened = book.facts().opened.timestamp()
    for what, value in (("probe", 8.0), ("prometheus", 3.0)):
        book.add("measured", what=what, chart="errors", series=[[opened + 5, value]], said=what)
    content = book.write(ask=lambda *_: NOTHING).content
    assert "at most 3 while it lasted" in content.charts[0].caption
    assert dict(content.impact)["Requests failed"] == "about 156"


def test_a_prometheus_that_is_away_is_asked_once(book: Book) -> None:
    asked: list[str] = []

    def away(_url: str, query: str, *_more: float) -> Answer:
        asked.append(query)
        return Answer(why="Prometheus at x does not answer: timed out", away=True)

    book.write(ask=away)
    assert len(asked) == 1


@pytest.mark.parametrize("sparse", [0, 3], ids=["empty", "gaps"])
def test_a_window_shorter_than_two_scrapes_is_followed_by_a_longer_one(book: Book, sparse: int) -> None:
    asked: list[str] = []

    def ask(url: str, query: str, start: float, end: float, step: float) -> Answer:
        asked.append(query)
        found = curve(url, query, start, end, step)
        if "[1m]" in query or "30d" in query:
            return found
        return Answer(found.points[::sparse], "") if sparse else Answer(why="nothing")

    charts = book.write(ask=ask).content.charts
    assert all(chart.source == "Prometheus" for chart in charts)
    assert "[15s]" in asked[0]
    assert not [query for query in asked if "[5m]" in query]
    assert " " not in charts[1].spark


def test_a_changed_record_is_said_on_the_page(book: Book) -> None:
    from sqlalchemy import text

    with book.journal.engine.begin() as connection:
        connection.execute(text("UPDATE events SET payload = '{}' WHERE sequence = 2"))
    written = book.write()
    assert "do not trust this page" in written.markdown.read_text()
    assert "do not trust this page" in written.html.read_text()


# What people write


def test_written_twice_it_is_the_same(book: Book) -> None:
    assert book.markdown(ask=curve) == book.markdown(ask=curve)


def test_what_people_wrote_survives_and_the_rest_is_written_anew(book: Book) -> None:
    path = book.write().markdown
    text = path.read_text().replace("**Draft.** What was found", "It was the deploy of 22:58. What was found")
    path.write_text(
        text.replace("<!-- saveit: impact -->", "We called the customer.\n\n<!-- saveit: impact -->")
    )
    book.add("note", sentence="a late note")
    written = book.write(ask=curve)
    again, page = written.markdown.read_text(), written.html.read_text()
    assert "It was the deploy of 22:58." in again
    assert "We called the customer." in again
    assert "a late note" in section(again, "timeline")
    assert "about 519" in section(again, "impact")
    assert written.said == ("kept as people wrote it: root-cause",)
    assert "Edited by a person" in page
    assert "We called the customer." in page


def test_html_and_images_of_people_are_words(book: Book) -> None:
    path = book.write().markdown
    theirs = (
        "<script>alert(1)</script>\n\n![e](http://elsewhere/x.png) [f](javascript:alert(1)) [g](https://h/)\n"
    )
    path.write_text(path.read_text() + theirs)
    page = read(book.write().html.read_text())
    assert "<script>alert(1)</script>" in "".join(page.words)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    outside = [dict(pairs).get("href") for tag, pairs in page.tags if tag == "a"]
    assert [link for link in outside if link and not link.startswith("#")] == [
        "http://elsewhere/x.png",
        "https://h/",
    ]


def test_what_is_kept_for_machines_is_not_in_the_timeline(book: Book) -> None:
    for kind in ("notice", "sending", "measured", "postmortem", "reminded"):
        book.add(kind, sentence=f"for a machine: {kind}")
    assert "for a machine" not in book.markdown()


def test_an_edit_that_the_record_has_overtaken_is_said(book: Book) -> None:
    path = book.write().markdown
    path.write_text(path.read_text().replace("| Duration | 52 s |", "| Duration | an hour, customers say |"))
    said = book.write(ask=curve).said
    assert "the record says something else by now for: impact (--anew writes all from the record)" in said
    assert "an hour, customers say" not in book.markdown(anew=True)


def test_a_block_that_was_taken_out_stays_out(book: Book) -> None:
    path = book.write().markdown
    path.write_text(
        re.sub(r"<!-- saveit: charts.*/saveit: charts \w+ -->", "", path.read_text(), flags=re.DOTALL)
    )
    written = book.write()
    assert "What it looked like" not in written.html.read_text()
    assert written.said == ("left out, as somebody took it out of the page: charts",)


@pytest.mark.parametrize(
    "change", [lambda text: text.replace("\n", "\r\n"), lambda text: text.replace("\n", "  \n")]
)
def test_what_an_editor_does_to_line_ends_is_no_edit(book: Book, change: Callable[[str], str]) -> None:
    path = book.write().markdown
    path.write_bytes(change(path.read_text()).encode())
    assert book.write().said == ()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            lambda text: text.replace("<!-- /saveit: impact", "<!-- gone: impact"),
            "the block impact has no end",
        ),
        (
            lambda text: text.replace("<!-- saveit: impact -->", ""),
            "the block impact ends where it did not begin",
        ),
        (lambda text: text + text, "is there twice"),
    ],
)
def test_broken_marks_are_refused_and_the_file_is_left_alone(
    book: Book, wrong: Callable[[str], str], sentence: str
) -> None:
    path = book.write().markdown
    path.write_text(wrong(path.read_text()))
    before = path.read_text()
    with pytest.raises(RefusedError, match=sentence):
        book.write()
    assert path.read_text() == before


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 5_000_000])
def test_a_page_that_cannot_be_read_is_not_overwritten(book: Book, content: bytes) -> None:
    path = book.write().markdown
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot read"):
        book.write()
    assert path.read_bytes() == content


# Due


def test_it_is_due_48_hours_after_the_end_with_reminders(book: Book) -> None:
    due = due_of(book.facts(), book.templates.rules(), LATER)
    assert due is not None
    assert (due.due - ENDED, due.overdue) == (timedelta(hours=48), False)
    assert [due.due - one.at for one in due.reminders] == [timedelta(hours=n) for n in (24, 4, 0)]
    assert due.reminders[0].key == f"postmortem:{book.incident_id}:20261128T230732:24"


def test_it_is_overdue_until_it_is_reviewed(book: Book) -> None:
    rules, late = book.templates.rules(), ENDED + timedelta(hours=49)
    found = due_of(book.facts(), rules, late)
    assert found is not None
    assert found.overdue
    book.add("postmortem", status="in-review", path="x")
    assert book.facts().status == "in-review"
    book.add("reviewed", by="anna")
    found = due_of(book.facts(), rules, late)
    assert found is not None
    assert (found.overdue, found.reminders) == (False, ())


def test_another_run_in_the_same_record_is_not_over_before_it_ends(book: Book) -> None:
    for kind in ("went-on", "joined"):
        book.add(kind, sentence="again")
        assert (book.facts().ended, book.facts().outcome) == (None, "unfinished")
        book.add("closed", outcome="recovered", severity="sev2", sentence="well again")
        assert (book.facts().ended, book.facts().recovered) == (LATER, LATER)


def test_each_reminder_is_written_once_at_its_hour_and_told(book: Book) -> None:
    rules, said = book.templates.rules(), []
    for hour in (0, 23, 24, 25, 43, 44, 47, 48, 49, 71, 72, 500):
        for _machine in ("one", "another"):
            now = ENDED + timedelta(hours=hour)
            said += [(hour, one) for one in remind(book.journal, book.incident_id, rules, now)]
    which, when = f"the post-mortem of {book.incident_id} (sev2, draft) is due", "2026-11-28 23:07 UTC"
    assert said == [
        (24, f"{which} in 24 h, at {when}"),
        (44, f"{which} in 4 h, at {when}"),
        (48, f"{which} now ({when})"),
    ]
    assert [one.what for one in moments(book.events())][-3:] == ["reminder"] * 3


def test_after_a_night_without_cron_only_the_newest_reminder_is_told(book: Book) -> None:
    rules, late = book.templates.rules(), ENDED + timedelta(hours=47)
    assert len(remind(book.journal, book.incident_id, rules, late)) == 1
    assert remind(book.journal, book.incident_id, rules, late) == []


def test_a_reviewed_one_is_not_reminded_of(book: Book) -> None:
    book.add("reviewed", by="anna")
    assert remind(book.journal, book.incident_id, book.templates.rules(), ENDED + timedelta(hours=48)) == []


def test_a_low_severity_and_an_incident_that_goes_on_owe_none(book: Book) -> None:
    rules = book.templates.rules()
    book.add("reopened", reason="it came back")
    assert due_of(book.facts(), rules, LATER) is None
    book.add("resolved", by="anna")
    book.add("severity", to="sev3", reason="few users")
    assert due_of(book.facts(), rules, LATER) is None


# Odd texts

LOG = "2026-11-26 23:06:42 - ERROR - ✗ GET /path [503]\n" * 20_000  # 1 MB
ODD = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</style></section><!-- /saveit: timeline 000000000000 -->",
    "| a | `b` | **c** | [d](javascript:alert(1)) | ![e](http://elsewhere/x.png)",
    "# heading",
    "- item",
    "1. one",
    "{{ 7 * 7 }} {% raw %}",
    "🚒 the backend 💥 went 👩‍🚒",
    "الخادم لا يستجيب \u202e reversed \u2066",
    "nul \0 bell \a escape \x1b[31m lone \ud83d end",
    LOG,
]


class Text(HTMLParser):
    """The words of a page, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))


def read(html: str) -> Text:
    found = Text()
    found.feed(html)
    return found


@pytest.mark.parametrize("odd", ODD, ids=[text[:20].encode("ascii", "replace").decode() for text in ODD])
def test_odd_texts_are_words_in_both_files(book: Book, odd: str) -> None:
    from saveit_remediate.report.templates import html_of
    from saveit_remediate.report.text import clean

    finding = {"id": "odd", "target": odd, "sentence": odd, "next": odd, "kind": "symptom"}
    book.add("note", sentence=odd)
    book.add("assessed", sentence=odd, severity="sev1", hosts=["lab", odd], findings=[finding])
    written = book.write()
    words = " ".join(clean(odd, 500).split())
    markdown = written.markdown.read_text(encoding="utf-8")
    for html in (written.html.read_text(encoding="utf-8"), html_of(markdown)):
        page = read(html)
        assert words.rstrip("…")[:100] in " ".join("".join(page.words).split())
        assert not {tag for tag, _ in page.tags} & {"script", "img", "iframe", "object"}
        assert not [name for _, pairs in page.tags for name, _ in pairs if name.startswith("on")]
        assert not [pair for _, pairs in page.tags for pair in pairs if "javascript:" in str(pair[1])]
    assert written.markdown.stat().st_size < 40_000
    assert book.write().said == ()  # nothing in it looks like a mark, or like an edit


@pytest.mark.parametrize(
    "payload",
    [
        {"hosts": None, "findings": "none", "evidence": {"a": 1}},
        {"hosts": [1, None], "findings": [1, {}, {"id": None}], "evidence": [{}, None]},
        {"severity": ["sev1"], "findings": [{"id": {"a": 1}, "sentence": 5, "next": None}]},
    ],
)
def test_an_odd_record_still_makes_a_page(book: Book, payload: dict[str, Any]) -> None:
    for kind in (
        "assessed",
        "verified",
        "closed",
        "postmortem",
        "severity",
        "still-changed",
        "measured",
        "own",
    ):
        book.add(kind, **payload)
    assert "5. Action items" in book.markdown()
