# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection of our own to PostgreSQL, by the library psycopg, with an end to every wait."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from typing import Any, Mapping

from ansible_collections.saveit.remediation.plugins.module_utils import _postgres
from ansible_collections.saveit.remediation.plugins.module_utils._postgres import Answer
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError

MOST_ADDRESSES = 3  # of one name that are tried


def ask_directly(parameters: Mapping[str, Any], sql: str, user: str, application: str) -> Answer:
    """Connect, say one statement, read its one value. Raises FailedError without the library."""
    try:
        import psycopg
    except ImportError as error:
        raise FailedError(
            f"cannot talk to PostgreSQL at {parameters['login_host']}: "
            f"the Python library psycopg (version 3) is not installed: {error}"
        ) from error
    _check_ca_file(parameters)
    timeout = parameters["timeout_seconds"]
    ends = time.monotonic() + timeout
    addresses = _resolve(parameters, timeout)
    if isinstance(addresses, Answer):
        return addresses
    try:
        connection = psycopg.connect(
            host=",".join([parameters["login_host"]] * len(addresses or [""])),
            hostaddr=",".join(addresses) or None,
            port=parameters["login_port"],
            user=user,
            password=parameters["login_password"] or None,
            dbname=parameters["database"],
            sslmode=parameters["ssl_mode"],
            sslrootcert=parameters["ca_file"] or None,
            connect_timeout=max(2, round(timeout / max(1, len(addresses)))),  # each; libpq takes no less
            application_name=application,
            autocommit=True,
        )
    except psycopg.Error as error:
        said = str(error)
        detail = _postgres.last_words(said)
        return Answer(ended=_postgres.refusal(said, error.sqlstate or ""), detail=detail)
    try:
        return _converse(connection.pgconn, sql, max(1.0, ends - time.monotonic()), timeout)
    finally:
        connection.close()


def _check_ca_file(parameters: Mapping[str, Any]) -> None:
    """Raises FailedError: libpq reads it only once the server offers TLS."""
    file = parameters["ca_file"]
    try:
        if file:
            ssl.create_default_context(cafile=file)
    except OSError as error:  # ssl.SSLError is one
        why = error.strerror or error
        raise FailedError(
            f"cannot verify PostgreSQL at {parameters['login_host']}: ca_file {file}: {why}"
        ) from error


def _resolve(parameters: Mapping[str, Any], timeout: float) -> list[str] | Answer:
    """The addresses of the host: the system's resolver has limits of its own, and waits longer than ours. The
    folder of a socket has none.
    """
    host: str = parameters["login_host"]
    found: list[list[str] | Answer] = []
    if host.startswith("/"):
        return []

    def ask() -> None:
        try:
            known = socket.getaddrinfo(host, parameters["login_port"], type=socket.SOCK_STREAM)
            found.append(list(dict.fromkeys(str(each[4][0]) for each in known))[:MOST_ADDRESSES])
        except (OSError, UnicodeError) as error:
            found.append(Answer(ended="refused", detail=f"cannot resolve {host}: {error}"))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    return found[0] if found else Answer(ended="timeout", detail=f"{host} not resolved within {timeout:g} s")


def _converse(wire: Any, sql: str, seconds: float, timeout: float) -> Answer:
    """On the wire itself: the library's own execute() waits for ever for a server that is stopped."""
    limit = f"SET statement_timeout = {round(timeout * 1000)}"
    ends = time.monotonic() + seconds
    for statement in (limit, sql):
        wire.send_query(statement.encode())
        answer = _result(wire, ends, timeout)
        if answer.ended:
            return answer
    return answer


def _result(wire: Any, ends: float, timeout: float) -> Answer:
    import psycopg
    from psycopg import pq

    answer = Answer()
    while True:
        wire.flush()
        while wire.is_busy():
            left = ends - time.monotonic()
            if left <= 0 or not select.select([wire.socket], [], [], left)[0]:
                return Answer(ended="timeout", detail=f"no answer within {timeout:g} s")
            try:
                wire.consume_input()
            except psycopg.Error as error:
                return Answer(ended="refused", detail=_postgres.last_words(str(error)))
        result = wire.get_result()
        if result is None:
            return answer
        if result.status == pq.ExecStatus.FATAL_ERROR:
            code = result.error_field(pq.DiagnosticField.SQLSTATE) or b""
            message = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY) or result.error_message
            said = message.decode(errors="replace")
            answer = Answer(ended=_postgres.refusal(said, code.decode()), detail=f"ERROR: {said}")
        elif result.status == pq.ExecStatus.TUPLES_OK:
            answer = _value(result)


def _value(result: Any) -> Answer:
    """The one value of the one row."""
    text = result.get_value(0, 0) if result.ntuples == 1 and result.nfields == 1 else None
    return _postgres.read_document((text or b"").decode(errors="replace"))
