"""A site's own templates: used where they work, and never a reason to have no page."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.controller.pages.conftest import Book

from saveit_remediate.errors import UsageError
from saveit_remediate.report.rules import read_rules
from saveit_remediate.report.templates import OURS, Templates, markdown_escaped


@pytest.fixture
def own(book: Book, tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    book.templates = Templates(folder)
    return folder


def test_a_site_overrides_one_template_and_the_others_stay(book: Book, own: Path) -> None:
    (own / "postmortem.md.j2").write_text(
        "# {{ facts.title }} at Example\n\n<!-- saveit: a -->\nx\n<!-- /saveit: a -->\n"
    )
    written = book.write()
    assert written.markdown.read_text().startswith("# Application not responding at Example\n")
    assert "<h1" in written.html.read_text()
    assert written.said == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{% for x %}", "line 1"),
        ("a\n{{ nobody.knows }}", "'nobody' is undefined"),
        ("{{ facts.titel }}", "has no attribute 'titel'"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ facts.__class__.__mro__ }}", "is unsafe"),
        ("{{ ''.format.__globals__ }}", "is unsafe"),
        ("{% include 'gone.j2' %}", "gone.j2"),
        ("{% include '../../../etc/passwd' %}", "passwd"),
        ("{% for a in range(10000000) %}x{% endfor %}", "OverflowError"),
        ("<!-- saveit: a -->", "the block a has no end"),
    ],
)
def test_an_error_in_it_means_ours_and_is_said(book: Book, own: Path, text: str, sentence: str) -> None:
    (own / "postmortem.md.j2").write_text(text)
    written = book.write()
    assert "5. Action items" in written.markdown.read_text()
    assert len(written.said) == 1
    assert "so ours is used" in written.said[0]
    assert sentence in written.said[0]


def test_one_that_is_no_text_is_said(book: Book, own: Path) -> None:
    (own / "postmortem.html.j2").write_bytes(b"\xff\xfe")
    written = book.write()
    assert "<h1" in written.html.read_text()
    assert "UnicodeDecodeError" in written.said[0]


def test_what_a_site_fills_into_html_is_escaped(book: Book, own: Path) -> None:
    (own / "postmortem.html.j2").write_text("<p>{{ facts.sentence }}")
    book.add("closed", sentence="<script>", outcome="recovered", severity="sev2")
    assert book.write().html.read_text() == "<p>&lt;script&gt;"


def test_a_style_of_the_site_is_in_the_page(book: Book, own: Path) -> None:
    (own / "page.css").write_text("body { color: teal } </style><script>")
    page = book.write().html.read_text()
    assert "color: teal" in page
    assert "</style><script>" not in page


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("schema: 1", "schema: 2", "schema must be 1"),
        ("windows: [15s, 1m, 5m]", "windows: [a while]", "windows must be a list of times"),
        ("percent: 99.9", "percent: 100", "objective.percent must be below 100"),
        ("id: traffic", "id: errors", "charts must be at most 12, each with an id of its own"),
        ("id: traffic", "id: Traffic!", "must be a word of small letters"),
        (
            "due_hours: {sev1: 48",
            "due_hours: {sev0: 48",
            "due_hours has the unknown key 'sev0'; did you mean 'sev",
        ),
        (
            "remind_hours_before: [24, 4]",
            "remind_hours_before: 24",
            "remind_hours_before must be a list of hours",
        ),
        ("schema: 1", "schema: [", "is not YAML: line"),
    ],
)
def test_wrong_rules_of_a_site_mean_ours_and_are_said(
    book: Book, own: Path, before: str, after: str, sentence: str
) -> None:
    text = (OURS / "postmortem.yml").read_text()
    assert before in text
    (own / "postmortem.yml").write_text(text.replace(before, after))
    written = book.write()
    assert len(written.content.charts) == 3
    assert sentence in written.said[0]
    assert written.said[0].endswith("the default rules of post-mortems are used")
    with pytest.raises(UsageError):
        read_rules(own / "postmortem.yml")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b and _c_", r"a_b and \_c\_"),
        ("+9.3 s", "+9.3 s"),
        ("+ 9", r"\+ 9"),
        ("4.1 s", "4.1 s"),
        ("4. s", r"4\. s"),
        ("&lt; & <", r"\&lt; & \<"),
        ("~one~ ~~two~~", r"~one~ \~~two\~~"),
        ("===", r"\==="),
        (None, ""),
    ],
)
def test_markdown_shows_exactly_these_words(text: str | None, shown: str) -> None:
    assert markdown_escaped(text) == shown
