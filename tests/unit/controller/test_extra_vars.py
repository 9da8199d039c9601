# ruff: noqa: E501 -- rows of a table stay on one line
"""Extra variables are read as Ansible reads them; what Ansible would silently ignore is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from saveit_remediate.catalog import Parameter, check_extra_vars, find, open_catalog, parse_extra_vars
from saveit_remediate.errors import UsageError

if TYPE_CHECKING:
    from tests.unit.controller.conftest import Site


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a=1"], {"a": "1"}),
        (["a=1 b='two words'"], {"a": "1", "b": "two words"}),
        (["a=x=y"], {"a": "x=y"}),
        (['{"a": [1, 2], "b": true}'], {"a": [1, 2], "b": True}),
        (["{a: 1, b: yes}"], {"a": 1, "b": True}),
        (["@vars.yml"], {"a": 5}),
        (["a=1", "a=2"], {"a": "2"}),
        ([], {}),
        (["@empty.yml"], {}),
    ],
)
def test_extra_vars_are_read(tmp_path: Path, arguments: list[str], expected: dict[str, Any]) -> None:
    (tmp_path / "vars.yml").write_text("a: 5\n")
    (tmp_path / "empty.yml").touch()
    assert parse_extra_vars(arguments, tmp_path) == expected


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ("a", "'a' is not NAME=VALUE, @FILE or a JSON object"),
        ("=1", "is not NAME=VALUE"),
        ("a='1", "No closing quotation"),
        ("[1]", "must be a mapping of names to values, not a list"),
        ("{a: [", "as YAML: line 1"),
        ("@nope.yml", "cannot read .*nope.yml"),
        ("@vault.yml", "must be a mapping"),
        ("@tagged.yml", "tagged.yml is not YAML: line 1"),
    ],
)
def test_unreadable_extra_vars_are_a_sentence(tmp_path: Path, argument: str, sentence: str) -> None:
    (tmp_path / "vault.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    (tmp_path / "tagged.yml").write_text("a: !vault x\n")
    with pytest.raises(UsageError, match=sentence):
        parse_extra_vars([argument], tmp_path)


def parameters(site: Site) -> Mapping[str, Parameter]:
    return find(open_catalog(site.folder, []), "frob").parameters


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"frob_count": "5"}, {"frob_count": 5}),
        ({"frob_fast": "yes"}, {"frob_fast": True}),
        ({"frob_fast": "OFF"}, {"frob_fast": False}),
        ({"frob_mode": "soft"}, {"frob_mode": "soft"}),
        ({"frob_tags": "1,2"}, {"frob_tags": [1, 2]}),
        ({"frob_count": "{{ 4 + 1 }}"}, {"frob_count": "{{ 4 + 1 }}"}),
        ({"frob_count": None}, {"frob_count": None}),
        ({"ladder_hold_seconds": "1.5"}, {"ladder_hold_seconds": 1.5}),
        (
            {"ladder_max_risk": "low", "platform": "compose"},
            {"ladder_max_risk": "low", "platform": "compose"},
        ),
        ({"ansible_user": "root"}, {"ansible_user": "root"}),
    ],
)
def test_values_become_what_the_argument_spec_declares(
    site: Site, given: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert check_extra_vars(parameters(site), given, "incident frob") == expected


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"frob_cuont": 1}, "unknown extra variable 'frob_cuont' for incident frob: did you mean 'frob_count'"),
        ({"frob_count": "many"}, "frob_count must be of type int, not 'many'"),
        ({"frob_count": 1.5}, "must be of type int"),
        ({"frob_count": True}, "must be of type int"),
        ({"frob_fast": "perhaps"}, "must be of type bool"),
        ({"frob_mode": "medium"}, "must be one of soft, hard, not 'medium'"),
        ({"frob_tags": "1,x"}, "must be of type list of int"),
        ({"ladder_mode": "remediate"}, "is set by saveit-remediate itself; .* ladder_hold_seconds, ladder_max_risk, "),
        ({"ladder_plan": {}}, "is set by saveit-remediate itself"),
        ({"ladder_hold_seconds": "nan"}, "must be of type float"),
    ],
)  # fmt: skip
def test_misspelt_and_mistyped_variables_are_refused(
    site: Site, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_extra_vars(parameters(site), given, "incident frob")


def test_a_secret_is_not_repeated_in_the_message(site: Site) -> None:
    with pytest.raises(UsageError, match="not \\(a secret\\)") as caught:
        check_extra_vars(parameters(site), {"frob_password": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_what_the_command_sets_itself_is_refused(site: Site) -> None:
    with pytest.raises(UsageError, match=r"'frob_count' is set by saveit-remediate itself$"):
        check_extra_vars(parameters(site), {"frob_count": 1}, reserved=["frob_count"])


LOOK = {"look_at": {"type": "str"}, "look_samples": {"type": "int"}, "look_since_seconds": {"type": "float"}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", "-e", "look_smaples=3"], "unknown extra variable 'look_smaples' for status: did you mean 'look_samples'?"),
        (["db", "-e", "frob_cuont=3"], "unknown extra variable 'frob_cuont' for db: did you mean 'frob_count'?"),
        (["errors", "-e", "look_samples=few"], "look_samples must be of type int, not 'few'"),
        (["errors", "-e", "look_since_seconds=9"], "'look_since_seconds' is set by saveit-remediate itself"),
        (["status", "-e", "look_at=db"], "'look_at' is set by saveit-remediate itself"),
    ],
)  # fmt: skip
def test_commands_that_look_refuse_them_too(site: Site, arguments: list[str], sentence: str) -> None:
    options = {"argument_specs": {"main": {"options": LOOK}}}
    site.write(str(site.roles / "look/meta/argument_specs.yml"), options)
    done = site.run(*arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert sentence in done.stderr
