"""The pages in a real browser: narrow and wide, light and dark. One browser for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.controller.pages.conftest import LATER, RECORDED, Book, curve, fill

from saveit_remediate.journal import open_journal
from saveit_remediate.report.due import due_of
from saveit_remediate.report.facts import facts_of
from saveit_remediate.report.figures import figures_of
from saveit_remediate.report.postmortem import write_page
from saveit_remediate.report.templates import Templates

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.once
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LONG = "a_word_that_nobody_can_break_" * 20
ODD = f"<b>bold?</b> 🚒 الخادم لا يستجيب {LONG}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser here: none of {', '.join(NAMES)} is on PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is in the group dev")
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(executable_path=program)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A post-mortem with charts, one without data and with odd texts and an edit, and a report."""
    folder = tmp_path_factory.mktemp("pages")
    with closing(open_journal(folder / "journal.db")) as journal:
        fill(journal, RECORDED["incident_id"], RECORDED["events"])
        odd_id = "20261127-000000-odd-0001"
        fill(journal, odd_id, RECORDED["events"], timedelta(hours=1))
        good = Book(journal, RECORDED["incident_id"], folder, Templates())
        odd = Book(journal, odd_id, folder, Templates())
        finding = {"id": LONG, "target": ODD, "sentence": ODD, "next": ODD}
        odd.add("assessed", sentence=ODD, severity="sev1", hosts=[ODD], findings=[finding])
        change = {"id": "c1", "what": ODD, "before": "1", "after": "2"}
        odd.add("still-changed", changes=[change], host="lab", sentence=ODD)
        odd.add("closed", sentence=ODD, outcome="unresolved", severity="sev1")
        path = odd.write().markdown
        table = "| a | b |\n|---|---|\n| 1 | 2 |\n\n- [ ] todo\n\n```\n" + "x" * 300 + "\n```\n"
        path.write_text(path.read_text().replace("## 3. Impact", f"## 3. Impact\n\n{table}"))
        every = [facts_of(journal.events(one)) for one in journal.incidents()]
        due = [owed for one in every if (owed := due_of(one, Templates().rules(), LATER + timedelta(days=3)))]
        values = {"figures": figures_of(every), "since": "30d", "now": LATER, "due": due}
        write_page(folder / "report.html", "report.html.j2", values, Templates())
        return {
            "postmortem": good.write(ask=curve).html,
            "odd": odd.write().html,
            "report": folder / "report.html",
        }


@contextmanager
def shown(browser: Browser, path: Path, width: int, scheme: Any) -> Iterator[tuple[Page, list[str]]]:
    """The page, and what the browser complained of or asked for besides it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, said = context.new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if not _own(request.url, path) else None)
    page.goto(path.as_uri())
    yield page, said
    context.close()


def _own(url: str, path: Path) -> bool:
    return url == path.as_uri() or url.startswith("data:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", ["postmortem", "odd", "report"])
def test_it_can_be_read(browser: Browser, pages: dict[str, Path], name: str, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="in the group dev")
    with shown(browser, pages[name], width, scheme) as (page, said):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16
        sizes = (
            "[...document.querySelectorAll('svg text')].map(e => parseFloat(getComputedStyle(e).fontSize))"
        )
        assert all(size >= 12 for size in page.evaluate(sizes))
        for details in page.locator("details").all():
            details.evaluate("element => element.open = true")
        found = axe.Axe().run(page)
        assert [one["id"] for one in found.response["violations"]] == [], found.generate_report()
        assert said == []


def test_the_charts_show_the_curve_the_incident_and_the_remedies(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with shown(browser, pages["postmortem"], 1440, "light") as (page, _):
        for chart in page.locator("svg.chart").all():
            curve_box, during = (chart.locator(one).bounding_box() for one in (".curve", ".during"))
            marks = [mark.bounding_box() for mark in chart.locator(".remedy").all()]
            assert curve_box is not None
            assert during is not None
            assert curve_box["width"] > 800
            assert len(marks) == 2
            assert all(mark and during["x"] <= mark["x"] <= during["x"] + during["width"] for mark in marks)


def test_a_page_without_data_says_so_where_the_curve_would_be(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with shown(browser, pages["odd"], 360, "dark") as (page, _):
        assert page.locator("svg .nothing").all_text_contents() == ["no data"] * 3
        assert page.locator("b").count() == 0
