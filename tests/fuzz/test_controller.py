"""What reaches the controller from outside: files, options, the environment, and what plays publish."""

from __future__ import annotations

import copy
import json
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from saveit_remediate.catalog import check_extra_vars, load_all, open_catalog, parse_extra_vars
from saveit_remediate.errors import RemediateError
from saveit_remediate.journal.spool import Spool
from saveit_remediate.journal.transfer import from_lines
from saveit_remediate.report.document import dump
from saveit_remediate.report.text import clean
from saveit_remediate.run.contract import read_observation
from saveit_remediate.run.events import Recorder
from saveit_remediate.run.inventory import check_inventory
from saveit_remediate.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
ROLES = ROOT / "collections/ansible_collections/saveit/remediation/roles"
RUNBOOKS = {
    path.parent.parent.name: yaml.safe_load(path.read_text("utf-8"))
    for path in ROLES.glob("*/meta/runbook.yml")
}
SPECS = {
    name: yaml.safe_load((ROLES / name / "meta/argument_specs.yml").read_text("utf-8")) for name in RUNBOOKS
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=12),
    st.sampled_from(["", "../x", "{{ 1 }}", "\0", "\ud800", "\x1b[2J", "\u202e", "NaN", "1e999"]),
    st.builds(list), st.builds(dict), st.builds(lambda: [None]), st.builds(lambda: {"id": {}}),
)  # fmt: skip
JSON = st.recursive(
    ODD,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=6), part, max_size=3),
    max_leaves=8,
)
TEXT = st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


def expected(do: Callable[[], Any]) -> Any:
    """What it gives, or None when it refuses with a sentence; anything else is the defect looked for."""
    try:
        return do()
    except RemediateError as error:
        sentence = clean(error)
        assert sentence
        assert not steering(sentence)
        return None


def steering(text: str) -> set[str]:
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}


@st.composite
def damaged(draw: st.DrawFn, documents: list[Any]) -> Any:
    """A real document, in which up to four values are something else, or gone."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _number in range(draw(st.integers(1, 4))):
        place = document
        while isinstance(place, dict | list) and place:
            key = draw(st.sampled_from(list(place) if isinstance(place, dict) else list(range(len(place)))))
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(ODD)
            else:
                del place[key]
            break
    return document


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "surrogatepass" if "\ud800" in text else "surrogateescape"))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


INVENTORY = {"all": {"hosts": {"a": {"platform": "compose"}}, "children": {"g": {"hosts": {"b": None}}}}}


@given(
    text=TEXT | damaged([INVENTORY]).map(lambda one: json.dumps(one)),
    name=st.sampled_from(["h.yml", "h", "h.json"]),
)
def test_inventories(case: Callable[[], None], folder: Path, text: str, name: str) -> None:
    case()
    path = write(folder / "inventory" / name, text)
    expected(lambda: check_inventory(str(path), "from option --inventory"))
    expected(lambda: check_inventory(text, "from option --inventory"))


SETTINGS = [
    'inventory = "h"\n',
    'journal = "j.db"\n',
    "timeout = 600\n",
    'playbooks = "p"\n',
    "timeout = [1]\n",
    "[x]\n",
    "=\n",
]


@given(
    text=st.lists(st.sampled_from(SETTINGS) | TEXT, max_size=4).map("".join),
    environ=st.dictionaries(
        st.sampled_from(
            ["SAVEIT_INVENTORY", "SAVEIT_JOURNAL", "SAVEIT_TIMEOUT", "SAVEIT_PLAYBOOKS", "XDG_STATE_HOME"]
        ),
        TEXT | st.sampled_from(["postgresql://u:p@[::1/d", "postgres://@:x/", "://", "~nobody/x", "1" * 400]),
    ),
)
def test_settings(case: Callable[[], None], folder: Path, text: str, environ: dict[str, str]) -> None:
    case()
    write(folder / "site" / "saveit-remediate.toml", text)
    clean_ = {name: value for name, value in environ.items() if "\0" not in value}
    found = expected(lambda: load_settings({}, {"HOME": str(folder), **clean_}, folder / "site"))
    if found:
        for name in ("inventory", "journal", "timeout", "playbooks"):
            assert clean(found[name])


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    """A catalog with one runbook of its own, which is written for each case."""
    roles = folder / "collections/ansible_collections/saveit/remediation/roles"
    shutil.copytree(ROLES / "ladder", roles / "ladder")
    shutil.copytree(ROLES / "redis", roles / "redis")
    return folder


@given(
    text=TEXT | damaged([RUNBOOKS["redis"]]).map(lambda one: json.dumps(one)),
    spec=st.none() | damaged([SPECS["redis"]]).map(lambda one: json.dumps(one)),
)
def test_runbooks(case: Callable[[], None], site: Path, text: str, spec: str | None) -> None:
    case()
    catalog = open_catalog(site)
    write(catalog.roles / "redis/meta/runbook.yml", text)
    if spec:
        write(catalog.roles / "redis/meta/argument_specs.yml", spec)
    found, problems = load_all(catalog)
    assert len(found) + len(problems) == 1


PARAMETERS = {
    name: one for runbook in load_all(open_catalog(ROOT))[0] for name, one in runbook.parameters.items()
}


@given(
    st.lists(
        TEXT | st.sampled_from(["redis_port=6379", "{redis_port: x}", "@nowhere", "redis_tls=yes", "[1]"]),
        max_size=3,
    ),
    st.dictionaries(st.sampled_from(sorted(PARAMETERS)) | st.text(max_size=5), JSON, max_size=4),
)
def test_extra_variables(case: Callable[[], None], given_: list[str], typed: dict[str, Any]) -> None:
    case()
    variables = expected(lambda: parse_extra_vars(given_, Path("/nowhere")))
    expected(lambda: check_extra_vars(PARAMETERS, {**(variables or {}), **typed}))


ITEM = st.dictionaries(
    st.sampled_from(
        [
            "id",
            "target",
            "sentence",
            "kind",
            "remedy",
            "result",
            "name",
            "value",
            "at",
            "diff",
            "rows",
            "columns",
        ]
    ),
    JSON,
)
PUBLISHED = st.dictionaries(
    st.sampled_from(["findings", "actions", "evidence", "tables", "manifests", "sentence"]),
    st.lists(ITEM, max_size=3) | JSON,
)


@given(PUBLISHED)
def test_what_plays_publish(case: Callable[[], None], published: dict[str, Any]) -> None:
    case()
    seen = read_observation([("host", published)])
    assert (
        json.loads(dump([*map(vars, (*seen.findings, *seen.actions, *seen.evidence, *seen.tables))]))
        is not None
    )


EVENTS = ["runner_on_start", "runner_on_ok", "runner_on_failed", "runner_on_unreachable", "playbook_on_stats"]
KEYS = ["host", "task", "task_action", "duration", "processed", "failures", "artifact_data", "ignore_errors"]
WORDS = ["msg", "ansible_stats", "remediation_events", "results", "obstacle", "argument_errors", "changed"]
STATS = PUBLISHED.map(lambda one: {"data": {"remediation": one}})
EVENT = st.fixed_dictionaries(
    {"event": st.sampled_from(EVENTS), "stdout": TEXT | st.none()},
    optional={
        "event_data": st.fixed_dictionaries(
            {"res": st.dictionaries(st.sampled_from(WORDS), JSON | STATS, max_size=3) | ODD},
            optional=dict.fromkeys(KEYS, ODD),
        )
    },
)


@given(st.lists(EVENT, max_size=3))
def test_events_of_ansible(case: Callable[[], None], events: list[dict[str, Any]]) -> None:
    case()
    told: list[Any] = []
    recorder = Recorder(told.append)
    for event in events:
        recorder.take(event)
    dump([vars(each) for each in told])


@given(text=TEXT | st.lists(JSON.map(json.dumps), max_size=4).map("\n".join))
def test_exports_and_spools(case: Callable[[], None], folder: Path, text: str) -> None:
    case()
    expected(lambda: from_lines(text.splitlines(), "x"))
    spool = Spool(write(folder / "spool" / "x.jsonl", text))
    expected(lambda: spool.deliver(lambda _one: None))


@given(st.text(max_size=200))
def test_what_is_shown(case: Callable[[], None], text: str) -> None:
    case()
    assert not steering(clean(text))
