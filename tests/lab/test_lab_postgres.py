"""The modules of PostgreSQL over a connection of their own, to the database in the lab's container."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / "collections") not in sys.path:
    sys.path.append(str(ROOT / "collections"))

from ansible_collections.saveit.remediation.plugins.module_utils import (  # noqa: E402
    _postgres_idle_cleanup,
    _postgres_info,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier  # noqa: E402
from ansible_collections.saveit.remediation.plugins.module_utils._result import Result  # noqa: E402

if TYPE_CHECKING:
    from tests.lab.conftest import Lab

Login = dict[str, Any]


@pytest.fixture
def login(lab: Lab) -> Iterator[Login]:
    """Of the application's role. Its password is in the container's environment."""
    found = json.loads(lab.docker("inspect", "saveit-postgres").stdout)[0]
    (network,) = found["NetworkSettings"]["Networks"].values()
    password = lab.docker("exec", "saveit-postgres", "printenv", "POSTGRES_PASSWORD").stdout.strip()
    yield {"login_host": network["IPAddress"], "login_password": password}
    done = lab.run("repair")
    assert done.returncode == 0, done.stderr


def call(module: Any, check_mode: bool = False, **given: Any) -> Result:
    def no_command(command: Any, stdin: str) -> Any:
        raise AssertionError(command)

    parameters = {name: spec.get("default") for name, spec in module.ARGUMENTS.items()}
    carrier = Carrier(no_command, time.time, time.sleep, check_mode)
    result: Result = module.run({**parameters, "platform": "compose", **given}, carrier)
    return result


def test_it_sees_what_psql_in_the_container_sees(lab: Lab, login: Login) -> None:
    result = call(_postgres_info, **login)
    count = (
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND state <> 'active'"
    )
    counted = lab.docker("exec", "saveit-postgres", "psql", "-U", "saveit", "-Atc", count).stdout.strip()
    assert (result.verdict, result.findings) == ("healthy", [])
    assert result.returned["connections"]["used"] == int(counted)
    assert result.returned["server_version"].startswith("15.")


def test_it_ends_a_forgotten_session_and_no_other(lab: Lab, login: Login) -> None:
    forgotten = psycopg.connect(
        host=login["login_host"], user="saveit", dbname="saveit", password=login["login_password"],
        application_name="forgotten", autocommit=True,
    )  # fmt: skip
    given = {**login, "idle_minutes": 0, "exclude_applications": [""]}  # the backend's sessions have no name
    planned = call(_postgres_idle_cleanup, check_mode=True, **given)
    assert [each["application"] for each in planned.returned["would_terminate"]] == ["forgotten"]
    forgotten.execute("SELECT 1")
    ended = call(_postgres_idle_cleanup, **given)
    assert [each["application"] for each in ended.returned["terminated"]] == ["forgotten"]
    with pytest.raises(psycopg.OperationalError):
        forgotten.execute("SELECT 1")


def test_a_wrong_password_is_told_apart(login: Login) -> None:
    assert call(_postgres_info, **{**login, "login_password": "wrong"}).verdict == "auth"


def test_a_paused_database_does_not_answer_in_time(lab: Lab, login: Login) -> None:
    assert lab.docker("pause", "saveit-postgres").returncode == 0
    begun = time.monotonic()
    result = call(_postgres_info, **login, timeout_seconds=1)
    assert (result.verdict, time.monotonic() - begun < 10) == ("timeout", True), result.sentence
