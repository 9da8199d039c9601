# ruff: noqa: E501 -- rows of a table stay on one line
"""An incident type is a folder; a mistake in it is a sentence with file and key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.catalog import Catalog, choose_playbook, find, load_all, open_catalog
from saveit_remediate.errors import UnreachableError, UsageError
from saveit_remediate.incident import Severity

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site

Edit = Callable[[Callable[[dict[str, Any]], None]], Path]


def catalog(site: Site) -> Catalog:
    return open_catalog(site.folder, [])


@pytest.mark.parametrize("name", ["frob", "FROB", "fr", " Fr "])
def test_a_runbook_is_found_by_id_and_alias_in_any_case(site: Site, name: str) -> None:
    assert find(catalog(site), name).id == "frob"


def test_a_role_without_a_runbook_is_no_incident_type(site: Site) -> None:
    assert catalog(site).ids == ("frob",)


def test_an_eighth_incident_type_is_a_new_folder_and_nothing_else(site: Site) -> None:
    shutil.copytree(site.roles / "frob", site.roles / "gizmo")
    path = site.roles / "gizmo" / "meta" / "runbook.yml"
    path.write_text(path.read_text().replace("id: frob\n", "id: gizmo\n").replace("- fr\n", "- gz\n"))
    assert catalog(site).ids == ("frob", "gizmo")
    assert find(catalog(site), "gz").id == "gizmo"


def test_an_unknown_incident_gets_a_suggestion(site: Site) -> None:
    with pytest.raises(UsageError, match="unknown incident 'frop': did you mean 'frob'"):
        find(catalog(site), "frop")
    with pytest.raises(UsageError, match="known: frob"):
        find(catalog(site), "zzz")


def test_a_broken_runbook_stops_only_its_own_type(site: Site) -> None:
    site.write(str(site.roles / "broken" / "meta" / "runbook.yml"), "][")
    assert find(catalog(site), "fr").id == "frob"
    runbooks, problems = load_all(catalog(site))
    assert [runbook.id for runbook in runbooks] == ["frob"]
    assert "broken/meta/runbook.yml is not YAML: line 1" in problems[0]


def test_the_collection_is_looked_for_beside_the_file_and_on_the_path(site: Site, tmp_path: Path) -> None:
    on_path = str(site.folder / "collections")
    assert open_catalog(None, ["/nowhere", on_path]).root == Path(on_path)
    with pytest.raises(UnreachableError, match="cannot find the Ansible collection"):
        open_catalog(tmp_path, [])


def remedy(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda runbook: runbook["remedies"][0].update(changes)


def criterion(value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda runbook: runbook["verify"].update(criteria=value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: r.update(schema=2), "schema must be 1"),
        (lambda r: r.update(id="other"), "id is 'other', but its role is called 'frob'"),
        (lambda r: r.update(id="../x"), "id must be lower-case letters"),
        (lambda r: r.update(title=""), "title must be a text"),
        (lambda r: r.pop("verify"), "lacks the key 'verify'"),
        (lambda r: r.update(remedeis=[]), "unknown key 'remedeis'; did you mean 'remedies'"),
        (lambda r: r["severity"].update(default="sev9"), "severity.default must be one of sev1, .* not 'sev9'"),
        (lambda r: r["severity"]["rules"][0].update(finding="frob-ded"), r"rules\[0\].finding names the unknown .*'frob-dead'"),
        (lambda r: r["findings"].append({"id": "frob-dead", "next": "x"}), "has the id 'frob-dead' twice"),
        (lambda r: r.update(findings={}), "findings must be a list, not a mapping"),
        (lambda r: r.update(aliases=[5]), r"aliases\[0\] must be a text, not 5"),
        (lambda r: r.pop("touches"), "lacks the key 'touches'"),
        (lambda r: r.update(touches=[]), "touches is empty: what remedies act on has to be leased"),
        (lambda r: r.update(touches=["frob_servise"]), "unknown parameter 'frob_servise'; did you mean 'frob_service'"),
        (lambda r: r.update(limits=[]), "limits is empty"),
        (lambda r: r.update(limits=[{"times": 3}]), r"limits\[0\] lacks the key 'minutes'"),
        (remedy(limits=[{"times": 0, "minutes": 5}]), r"remedies\[0\].limits\[0\].times must be from 1 to"),
        (remedy(risk="huge"), r"remedies\[0\].risk must be one of low, medium, high, not 'huge'"),
        (remedy(file="../../x.yml"), r"remedies\[0\].file must look like 10_name.yml"),
        (remedy(reversible="yes"), r"remedies\[0\].reversible must be true or false, not 'yes'"),
        (criterion([]), "verify.criteria is empty"),
        (criterion([{"evidence": "x"}]), "must have exactly one of is, is_not, at_most, at_least"),
        (criterion([{"evidence": "x", "is": 1, "at_most": 2}]), "exactly one of"),
        (criterion([{"evidence": "x", "at_most": "two"}]), "at_most must be a number, not 'two'"),
        (criterion([{"evidence": "x", "is": 1, "no_data": "maybe"}]), "no_data must be one of pass, fail"),
        (lambda r: r["verify"].update(hold_seconds=-1), "hold_seconds must be from 0 to 86400"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_runbook_is_a_sentence(
    site: Site, edit_runbook: Edit, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    path = edit_runbook(change)
    with pytest.raises(UsageError, match=sentence) as caught:
        find(catalog(site), "frob")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("files", "severity", "name", "why"),
    [
        (
            ["frob.sev1.yml", "frob.yml"],
            Severity.SEV1,
            "frob.sev1.yml",
            "the site's playbook for frob at sev1",
        ),
        (["frob.sev1.yml", "frob.yml"], Severity.SEV2, "frob.yml", "as there is no frob.sev2.yml beside it"),
        (["frob.sev1.yml", "frob.yml"], None, "frob.yml", "at any severity"),
        (["frob.sev1.yml"], Severity.SEV2, "saveit.remediation.frob", "has none for frob"),
        ([], Severity.SEV1, "saveit.remediation.frob", "the collection's own"),
    ],
)
def test_the_most_specific_playbook_wins(
    tmp_path: Path, files: list[str], severity: Severity | None, name: str, why: str
) -> None:
    for file in files:
        (tmp_path / file).touch()
    found = choose_playbook("frob", severity, tmp_path)
    assert Path(found.name).name == name
    assert why in found.why


def test_without_a_folder_the_collections_playbook_is_used() -> None:
    assert choose_playbook("frob", None, None).name == "saveit.remediation.frob"
