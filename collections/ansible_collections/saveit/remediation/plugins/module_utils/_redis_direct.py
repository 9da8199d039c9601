# Copyright: (c) 2026, The saveit-remediate developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation with a Redis server over a connection of our own, by the library redis-py."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.saveit.remediation.plugins.module_utils._redis import ERROR, Answers, names
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from ansible_collections.saveit.remediation.plugins.module_utils._within import within


def converse_directly(parameters: Mapping[str, Any], commands: Sequence[Sequence[str]]) -> Answers:
    """Send the commands one by one; an error reply is an answer, a broken connection the end."""
    try:
        import redis
    except ImportError as error:
        raise FailedError(
            f"cannot talk to Redis at {parameters['host']}: "
            f"the Python library redis is not installed: {error}"
        ) from error
    timeout = parameters["timeout_seconds"]
    connection_class = redis.SSLConnection if parameters["tls"] else redis.Connection
    extra = {"ssl_ca_certs": parameters["ca_file"]} if parameters["tls"] and parameters["ca_file"] else {}
    # Nothing about ourselves is written to the server (CLIENT SETINFO); redis-py 7 renamed the option.
    silent = ["driver_info"] if hasattr(redis, "DriverInfo") else ["lib_name", "lib_version"]
    connection = connection_class(
        host=parameters["host"],
        port=parameters["port"],
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        decode_responses=True,
        protocol=2,
        **dict.fromkeys(silent),
        **extra,
    )
    replies: dict[str, str] = {}
    try:
        within(2 * timeout, connection.connect)  # of which TLS may take one half
        for name, command in zip(names(commands), commands):
            connection.send_command(*command, check_health=False)
            try:
                replies[name] = _as_cli_prints(within(timeout, connection.read_response))
            except redis.ResponseError as error:
                replies[name] = ERROR + _with_code(error)
            except (redis.AuthenticationError, redis.BusyLoadingError) as error:
                replies[name] = ERROR + _with_code(error)
    except (redis.TimeoutError, TimeoutError):
        waiting_for = next(name for name in names(commands) if name not in replies)
        return Answers(replies, "timeout", f"no answer to {waiting_for} within {timeout:g} s")
    except redis.InvalidResponse as error:
        return Answers(
            replies, "error", f"{parameters['host']}:{parameters['port']} is no Redis server: {error}"
        )
    except (redis.ConnectionError, OSError) as error:
        return Answers(replies, "refused", str(error))
    finally:
        connection.disconnect()
    return Answers(replies)


def _with_code(error: Exception) -> str:
    """The library takes the code off the message of the errors that it has a class for; put it back."""
    codes = {
        "BusyLoadingError": "LOADING",
        "ReadOnlyError": "READONLY",
        "OutOfMemoryError": "OOM",
        "NoPermissionError": "NOPERM",
        "AuthenticationError": "NOAUTH",
        "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    }
    code = codes.get(type(error).__name__)
    return f"{code} {error}" if code else str(error)


def _as_cli_prints(reply: Any) -> str:
    """The reply in the form of `redis-cli --no-raw`, so that one parser reads both."""
    if isinstance(reply, list):
        return "\n".join(f'{number}) "{each}"' for number, each in enumerate(reply, 1))
    if isinstance(reply, int):
        return f"(integer) {reply}"
    text = str(reply).replace("\r\n", "\n")
    return text if text in ("OK", "PONG") or "\n" in text else f'"{text}"'
