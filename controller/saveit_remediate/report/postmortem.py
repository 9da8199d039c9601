"""Write the post-mortem of one incident: Markdown for people to edit, and a page of HTML made from it."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from saveit_remediate.errors import RefusedError, UsageError
from saveit_remediate.journal import Journal
from saveit_remediate.report.content import Content, content_of
from saveit_remediate.report.edits import BrokenMarksError, Merged, generated, join, merge, split
from saveit_remediate.report.facts import Facts, facts_of
from saveit_remediate.report.prometheus import query_range
from saveit_remediate.report.series import Ask, measure, span_of
from saveit_remediate.report.templates import Templates, html_of

_LONGEST = 4_000_000  # bytes of a page that people wrote
_EARLIER = timedelta(days=30)


@dataclass(frozen=True)
class Written:
    """Where the pages are, and what has to be said of them."""

    markdown: Path
    html: Path
    content: Content
    said: tuple[str, ...] = ()


def write_postmortem(
    journal: Journal,
    incident_id: str,
    folder: Path,
    templates: Templates,
    prometheus: str,
    now: datetime,
    anew: bool = False,
    ask: Ask = query_range,
) -> Written:
    """Write both files, beside each other. What people wrote into the Markdown stays, unless `anew`.

    Raises UsageError where it cannot be written, RefusedError where the marks of an edited page are broken.
    """
    events = journal.events(incident_id)
    facts, rules = facts_of(events), templates.rules()
    span = span_of(facts, now)
    measured = measure(rules, prometheus, span, events, ask)
    earlier = _earlier(journal, facts)
    content = content_of(facts, events, span, measured, rules, now, earlier)
    path = folder / (re.sub(r"[^\w-]", "_", incident_id)[:120] + ".md")
    before = "" if anew else _read(path)
    values = {"page": content, "facts": facts}
    new = templates.fill("postmortem.md.j2", values, generated)
    try:
        merged = merge(split(before), new) if before.strip() else Merged(new)
    except BrokenMarksError as error:
        raise RefusedError(
            f"cannot write {path} anew without losing what people wrote: {error}; repair its marks, "
            "or move it away"
        ) from error
    page = path.with_suffix(".html")
    _write(path, join(merged.parts))
    write_page(page, "postmortem.html.j2", {**values, "parts": _html_parts(merged)}, templates)
    return Written(path, page, content, (*templates.said, *measured.warnings, *_edits(merged)))


def write_page(path: Path, name: str, values: Mapping[str, Any], templates: Templates) -> None:
    """A page of HTML that needs nothing else. Raises UsageError."""
    _write(path, templates.fill(name, {**values, "style": templates.style()}, str))


def _html_parts(merged: Merged) -> list[Mapping[str, Any]]:
    return [{"id": one.id, "edited": one.edited, "html": html_of(one.text)} for one in merged.parts]


def _edits(merged: Merged) -> list[str]:
    said = [f"kept as people wrote it: {', '.join(merged.kept)}"] if merged.kept else []
    if merged.stale:
        said.append(
            f"the record says something else by now for: {', '.join(merged.stale)} "
            "(--anew writes all from the record)"
        )
    if merged.missing:
        said.append(f"left out, as somebody took it out of the page: {', '.join(merged.missing)}")
    return said


def _earlier(journal: Journal, facts: Facts) -> int:
    """How many incidents of the same type needed a remedy in the thirty days before."""
    since = (facts.opened - _EARLIER).strftime("%Y%m%d-%H%M%S")
    ids = [
        one
        for one in journal.incidents()
        if since <= one < facts.incident_id and one.split("-")[2:-1] == facts.incident_id.split("-")[2:-1]
    ]
    found = (facts_of(journal.events(one)) for one in ids[-50:])
    return sum(1 for one in found if one.remedies and set(one.targets) & set(facts.targets))


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > _LONGEST:
            raise UsageError(f"cannot read {path}: it is longer than {_LONGEST} bytes; move it away")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}, which may have been edited: {error}") from error


def _write(path: Path, text: str) -> None:
    """All of it or nothing."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8", errors="backslashreplace")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror or error}; say another place") from error
