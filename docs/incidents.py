"""Write a page for each incident type from its runbook. Run by `make docs`; a test checks freshness."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from saveit_remediate.catalog import Runbook, find, open_catalog

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "incidents"
HEAD = "Written by `make docs` from the `meta` folder of the role: change it there."


def pages() -> dict[str, str]:
    """The text of each page, by incident type."""
    catalog = open_catalog(ROOT)
    return {id_: page(find(catalog, id_)) for id_ in catalog.ids}


def page(runbook: Runbook) -> str:
    """One page: what it looks like, what is done about it, and when it is over."""
    worth = {rule.finding: str(rule.severity) for rule in runbook.severity_rules}
    usual = str(runbook.default_severity)
    also = f" (also `{'`, `'.join(runbook.aliases)}`)" if runbook.aliases else ""
    parts = [
        f"# {runbook.title}",
        HEAD,
        f"`saveit-remediate --incident {runbook.id}`{also}. Severity {usual} unless a finding says more.",
        _list("## Symptoms", runbook.symptoms),
        f"Brings about symptoms of: {', '.join(runbook.explains)}." if runbook.explains else "",
        "## Findings, cause before symptom",
        _table(
            ("finding", "severity", "what a person should do"),
            (
                (f"`{one.id}`", worth.get(one.id, usual) if one.symptom else "no symptom", one.next)
                for one in runbook.findings
            ),
        ),
        "## Remedies, least disruptive first",
        _table(
            ("remedy", "what it does", "helps with", "never for", "risk", "put back", "disrupts"),
            (
                (
                    f"`{one.id}`", one.title, _ids(one.helps), _ids(one.never_for), one.risk,
                    "yes" if one.reversible else "no", one.disrupts,
                )
                for one in runbook.remedies
            ),
        ),
        "## Recovered",
        f"When for {runbook.verify.hold_seconds:g} s without a break:",
        _list("", [_criterion(runbook, number) for number in range(len(runbook.verify.criteria))]),
        "## Parameters",
        "Set in the inventory, or with `-e`.",
        _table(
            ("parameter", "type", "default", "meaning"),
            (
                (f"`{one.name}`", one.type, _default(one.default), one.description)
                for one in runbook.parameters.values()
                if one.name.startswith(f"{runbook.id}_")
            ),
        ),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _criterion(runbook: Runbook, number: int) -> str:
    criterion = runbook.verify.criteria[number]
    more = "; no data counts as met" if criterion.no_data_passes else ""
    more += "; a remedy that breaks it ends the climb" if criterion.keep else ""
    return f"`{criterion}`{more}"


def _ids(ids: Iterable[str]) -> str:
    return ", ".join(f"`{one}`" for one in ids)


def _default(value: object) -> str:
    if value is None or value == "":
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _list(heading: str, items: Iterable[str]) -> str:
    lines = "\n".join(f"- {item}" for item in items)
    return f"{heading}\n\n{lines}".strip() if lines else ""


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def main(check: bool) -> int:
    """Write the pages, or only say whether they are fresh."""
    wanted = {FOLDER / f"{id_}.md": text for id_, text in pages().items()}
    found = {path: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    if check:
        stale = sorted(path.name for path in {*wanted, *found} if wanted.get(path) != found.get(path))
        if stale:
            sys.stderr.write(
                f"docs/incidents: {', '.join(stale)} is not what the runbooks say: run make docs\n"
            )
        return int(bool(stale))
    FOLDER.mkdir(exist_ok=True)
    for path in found:
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"Wrote {len(wanted)} pages in docs/incidents.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
