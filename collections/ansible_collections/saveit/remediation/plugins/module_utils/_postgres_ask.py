# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SQL text, two carriers: `psql` inside the service, or a connection of our own when `login_host` is
given."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _database_line, _postgres
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._postgres import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._postgres_direct import ask_directly
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._service import RUNNING, describe
from ansible_collections.saveit.remediation.plugins.module_utils._target import TARGET_ARGUMENTS, adapter

OWN_APPLICATION = "saveit-remediate"
LOGIN_ARGUMENTS: Mapping[str, Any] = {
    **TARGET_ARGUMENTS,
    "service": {"type": "str", "default": "postgres"},
    "database": {"type": "str", "default": "saveit"},
    "login_host": {"type": "str", "default": ""},
    "login_port": {"type": "int", "default": 5432},
    "login_user": {"type": "str", "default": "saveit"},
    "login_password": {"type": "str", "default": "", "no_log": True},
    # The name of a variable, not a secret.
    "password_variable": {"type": "str", "default": "", "no_log": False},
    "reserved_user": {"type": "str", "default": ""},
    "ssl_mode": {
        "type": "str",
        "default": "prefer",
        "choices": ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
    },
    "ca_file": {"type": "path", "default": ""},
    "timeout_seconds": {"type": "float", "default": 4},
}
# A password in the container's own environment stays there: only the variable's name is an argument.
_WITH_PASSWORD = 'PGPASSWORD="$(printenv "$1")"; export PGPASSWORD; shift; exec "$@"'  # noqa: S105 - a name


def check(parameters: Mapping[str, Any]) -> None:
    """Raises FailedError for a login that cannot be."""
    if not 0 < parameters["timeout_seconds"] <= 3600:
        limit = parameters["timeout_seconds"]
        raise FailedError(
            f"cannot ask PostgreSQL: timeout_seconds is {limit:g}, it must be above 0, up to 3600"
        )
    if not 0 < parameters["login_port"] < 65536:
        raise FailedError(f"cannot ask PostgreSQL: login_port is {parameters['login_port']}, no port")
    if "://" in parameters["login_host"]:
        raise FailedError("cannot ask PostgreSQL: login_host is a URL; give the host's name alone")


def ask(parameters: Mapping[str, Any], carrier: Carrier, sql: str) -> tuple[str, Answer]:
    """Where we asked, and the answer; when no slot was left, once more as `reserved_user`.

    Raises FailedError when the asking itself cannot be done.
    """
    where, answer = _ask_as(parameters, carrier, sql, parameters["login_user"])
    reserved = parameters["reserved_user"]
    if answer.ended == "slots" and reserved:
        _where, second = _ask_as(parameters, carrier, sql, reserved)
        if second.document is not None:
            return where, second
    return where, answer


def _ask_as(parameters: Mapping[str, Any], carrier: Carrier, sql: str, user: str) -> tuple[str, Answer]:
    if parameters["login_host"]:
        where = f"{parameters['login_host']}:{parameters['login_port']}"
        return where, ask_directly(parameters, sql, user, OWN_APPLICATION)
    platform = adapter(parameters)
    client = parameters.get("client") or {}
    required = not client.get("command")
    service = platform.look(parameters, carrier, parameters["service"], required=required)
    if not service.instances:
        return _ask_client(parameters, carrier, client)
    running = service.in_state(RUNNING)
    if not running:
        sick = service.instances[0]
        ended = "timeout" if sick.state == "paused" else "refused"
        return sick.name, Answer(ended=ended, detail=describe(sick))
    timeout = parameters["timeout_seconds"]
    command = psql(parameters, user)
    done = platform.execute(parameters, carrier, running[0], command, sql, timeout)
    return running[0].name, read(done, running[0].name, timeout)


def _ask_client(
    parameters: Mapping[str, Any], carrier: Carrier, client: Mapping[str, Any]
) -> tuple[str, Answer]:
    """Where nothing here runs the server, and nobody told its address: let one of its clients connect.

    That says whether it takes connections, and nothing of its sessions. Raises FailedError when the client
    cannot say.
    """
    users = adapter(parameters).look(parameters, carrier, client["name"])
    tried = _database_line.connect(parameters, carrier, users, client["command"], client["timeout_seconds"])
    where = f"asked from {tried.where}, as nothing here runs it"
    if tried.connected is None:
        raise FailedError(
            f"cannot ask {parameters['service']} from {tried.where}: {tried.error}; "
            "set login_host to talk to the server directly"
        )
    if tried.silent:
        return where, Answer(ended="timeout", detail="a new connection gets no answer")
    if not tried.connected:
        return where, Answer(ended=_postgres.refusal(tried.error), detail=_postgres.last_words(tried.error))
    return where, Answer(ended="healthy", detail="a new connection works")


def psql(parameters: Mapping[str, Any], user: str) -> list[str]:
    """The command: no start-up file, no prompt, one document out. A database called `host=…` stays a name."""
    timeout = parameters["timeout_seconds"]
    environment = [
        f"PGAPPNAME={OWN_APPLICATION}",
        f"PGCONNECT_TIMEOUT={max(2, round(timeout))}",
        f"PGDATABASE={parameters['database']}",
        f"PGPORT={parameters['login_port']}",
        f"PGOPTIONS=-c statement_timeout={round(timeout * 1000)}",
    ]
    command = ["env", *environment, "psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-U", user]
    if parameters["password_variable"]:
        return ["sh", "-c", _WITH_PASSWORD, "sh", parameters["password_variable"], *command]
    return command


def read(done: Completed, where: str, timeout: float) -> Answer:
    """What psql's end means. Raises FailedError when there is no psql."""
    if done.rc in (126, 127) or "executable file not found" in done.said:
        why = f"cannot run psql in {where}: {done.said}"
        raise FailedError(f"{why}; set login_host to talk to the server directly")
    if done.timed_out:
        return Answer(ended="timeout", detail=f"no answer within {timeout:g} s")
    if done.rc != 0:
        said = _postgres.last_words(done.stderr or done.stdout)
        return Answer(ended=_postgres.refusal(done.stderr or done.stdout), detail=said)
    return _postgres.read_document(done.stdout)
