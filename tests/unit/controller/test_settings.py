"""Settings come from option, environment, file, default, in this order, and say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from saveit_remediate.errors import UsageError
from saveit_remediate.settings import load_settings, without_password


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "saveit-remediate.toml").write_text('# ours\ninventory = "from-file"\ntimeout = 30\n')
    (tmp_path / "deep" / "er").mkdir(parents=True)
    return tmp_path


def environ(folder: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(folder / "home"), **more}


def test_option_wins_over_environment_and_file(folder: Path) -> None:
    settings = load_settings({"inventory": "opt"}, environ(folder, SAVEIT_INVENTORY="env"), folder)
    assert settings.inventory == str(folder / "opt")
    assert settings["inventory"].origin == "from option --inventory"


def test_environment_wins_over_file(folder: Path) -> None:
    settings = load_settings({"inventory": None}, environ(folder, SAVEIT_INVENTORY="env"), folder)
    assert settings["inventory"].origin == "from environment variable SAVEIT_INVENTORY"


def test_file_is_found_upwards_and_its_paths_are_relative_to_it(folder: Path) -> None:
    settings = load_settings({}, environ(folder), folder / "deep" / "er")
    assert settings.inventory == str(folder / "from-file")
    assert settings["inventory"].origin == f"from {folder / 'saveit-remediate.toml'}, line 2"
    assert settings.timeout == 30


def test_without_any_file_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings({}, environ(tmp_path), tmp_path)
    assert settings.timeout == 600
    assert settings.journal == str(tmp_path / "home/.local/state/saveit-remediate/journal.db")
    assert settings.playbooks is None
    with pytest.raises(UsageError, match="no inventory: say where"):
        _ = settings.inventory


def test_the_persons_own_file_is_the_last_resort(tmp_path: Path) -> None:
    own = tmp_path / "config" / "saveit-remediate" / "saveit-remediate.toml"
    own.parent.mkdir(parents=True)
    own.write_text("timeout = 7\n")
    assert (
        load_settings({}, environ(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "config")), tmp_path).timeout == 7
    )


def test_playbooks_beside_the_file_are_used_when_they_exist(folder: Path) -> None:
    assert load_settings({}, environ(folder), folder).playbooks is None
    (folder / "playbooks").mkdir()
    assert load_settings({}, environ(folder), folder).playbooks == folder / "playbooks"


def test_a_list_of_hosts_stays_as_it_is(folder: Path) -> None:
    assert load_settings({"inventory": "a,b"}, environ(folder), folder).inventory == "a,b"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('inventroy = "x"', r"unknown setting 'inventroy' in .*, line 1: did you mean 'inventory'\?"),
        (
            "timeout = 0",
            r"timeout must be a whole number of seconds from 1 to 86400, not 0 \(from .*line 1\)",
        ),
        ("timeout = true", "not True"),
        ('timeout = "5 min"', "not '5 min'"),
        ("timeout = 86401", "not 86401"),
        ("inventory = 5", "inventory must be a path, not 5"),
        ('journal = ""', "journal must be a path, not ''"),
        ("timeout = ", "cannot read the settings in .*: Invalid value"),
        ("\x00", "cannot read the settings"),
    ],
)
def test_a_wrong_file_is_a_sentence_with_the_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "saveit-remediate.toml").write_text(text)
    with pytest.raises(UsageError, match=sentence):
        load_settings({}, environ(tmp_path), tmp_path)


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not soon|'soon' \(from environment variable SAVEIT_TIMEOUT\)"):
        load_settings({}, environ(tmp_path, SAVEIT_TIMEOUT="soon"), tmp_path)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            "postgresql://ann:secret@db.example.com:5433/journal",
            "postgresql://ann@db.example.com:5433/journal",
        ),
        ("postgres://ann@db/journal?password=secret&sslmode=require", "postgresql://ann@db/journal"),
        ("postgresql:///journal", "postgresql:///journal"),
        ("postgresql://ann:12/secret@db/journal", "postgresql://…"),
        ("postgresql://ann:secret#@db/journal", "postgresql://…"),
        ("postgresql://ann:1?secret@db/journal", "postgresql://…"),
        ("postgresql://ann:secret@[db/journal", "postgresql://…"),
    ],
)
def test_a_server_for_the_journal_is_shown_without_the_password(
    tmp_path: Path, written: str, shown: str
) -> None:
    settings = load_settings({}, environ(tmp_path, SAVEIT_JOURNAL=written), tmp_path)
    assert settings.journal == written.replace("postgres://", "postgresql://")
    assert without_password(settings.journal) == shown
    assert str(settings["journal"]) == f"journal {shown!r} (from environment variable SAVEIT_JOURNAL)"


def test_another_database_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not 'mysql://ann@db/j' \(from environment") as caught:
        load_settings({}, environ(tmp_path, SAVEIT_JOURNAL="mysql://ann:secret@db/j"), tmp_path)
    assert "secret" not in str(caught.value)
