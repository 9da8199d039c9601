"""What ssh says when it fails becomes one sentence: attempt, host, reason, origin, advice."""

from __future__ import annotations

import base64
import signal
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.plugin_utils._connection import (
    SilentError,
    way_of,
    within,
)
from ansible_collections.saveit.remediation.plugins.plugin_utils._unreachable import (
    Option,
    Way,
    explain,
    no_answer,
    no_command,
)

OPTIONS = {
    "host": Option("staging", "ansible_host, hosts.yml:4"),
    "port": Option("2222", "ansible_port, hosts.yml:5"),
    "user": Option("deploy", "ansible_user, hosts.yml:6"),
    "key": Option("/k/id", "ansible_ssh_private_key_file, hosts.yml:7"),
    "timeout": Option("10"),
}
WAY = Way(OPTIONS)
BANNER = "Authorized use only.\r\nA wrong password means: permission denied, and a call.\r\n"

# Words of OpenSSH 9.2.
CHANGED = BANNER + (
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
    "The fingerprint for the ED25519 key sent by the remote host is\nSHA256:GwxdVfRz+iY2Vx5f/OSj0Wk.\r\n"
    "Add correct host key in /s/known_hosts to get rid of this message.\r\n"
    "Offending ED25519 key in /s/known_hosts:1\r\n  remove with:\r\n"
    '  ssh-keygen -f "/s/known_hosts" -R "[staging]:2222"\r\n'
    "Host key for [staging]:2222 has changed and you have requested strict checking.\r\n"
    "Host key verification failed.\r\n"
)
UNKNOWN = (
    "No ED25519 host key is known for [staging]:2222 and you have requested strict checking.\r\n"
    "Host key verification failed.\r\n"
)
DENIED = BANNER + "deploy@staging: Permission denied (publickey,password).\r\n"
NO_KEY = "no such identity: /k/id: No such file or directory\r\n" + DENIED
OPEN_KEY = 'Load key "/k/id": bad permissions\r\n' + DENIED


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "ssh: connect to host staging port 2222: Connection refused\r\n",
            ["Connection refused (ansible_port, hosts.yml:5)", "does sshd run"],
        ),
        (
            "ssh: connect to host staging port 2222: Connection timed out\r\n",
            ["no answer within 10 s (ansible_timeout)", "(ansible_host, hosts.yml:4)", "firewall"],
        ),
        ("Connection timed out during banner exchange\r\n", ["no answer within 10 s", "is the host up"]),
        ("ssh: connect to host staging port 22: No route to host\r\n", ["No route to host", "hosts.yml:4"]),
        (
            "ssh: Could not resolve hostname staging: Name or service not known\r\n",
            ["no address is known for this name (ansible_host, hosts.yml:4)", "Name or service not known"],
        ),
        (
            CHANGED,
            ["its host key has changed", "ED25519 SHA256:GwxdVfRz+iY2Vx5f/OSj0Wk,", "/s/known_hosts:1",
             'ssh-keygen -f "/s/known_hosts" -R "[staging]:2222"'],
        ),
        (UNKNOWN, ["its host key is not known here", "ssh -p 2222 deploy@staging"]),
        (
            DENIED,
            ["the user deploy was refused (ansible_user, hosts.yml:6)", "the key /k/id (ansible_ssh_private",
             "takes publickey, password", "nobody is here to type one"],
        ),
        (NO_KEY, ["the key /k/id does not exist (ansible_ssh_private_key_file, hosts.yml:7)"]),
        (OPEN_KEY, ["the key /k/id is ignored", "chmod 600 /k/id"]),
        (BANNER + "kex_exchange_identification: read: Connection reset by peer\r\n",
         ["Connection reset by peer; try: ssh -p 2222 deploy@staging"]),
        ("", ["ssh said nothing"]),
    ],
)  # fmt: skip
def test_it_says_what_happened_where_the_value_is_from_and_what_to_try(said: str, words: list[str]) -> None:
    sentence = explain(f"Failed to connect to the host via ssh: {said}", WAY)
    assert sentence.startswith("ssh to deploy@staging port 2222: ")
    assert [word for word in words if word not in sentence] == []
    assert "\n" not in sentence
    assert "Authorized" not in sentence


def test_a_key_with_a_passphrase_is_told_from_one_that_is_refused() -> None:
    sentence = explain(DENIED, Way(OPTIONS, key_is_locked=True))
    assert "the key /k/id needs a passphrase (ansible_ssh_private_key_file, hosts.yml:7)" in sentence
    assert "ssh-add /k/id" in sentence


def test_what_nobody_said_is_left_out() -> None:
    sentence = explain(DENIED, Way({"host": Option("staging")}))
    assert sentence.startswith("ssh to staging: the user of this machine was refused with the keys of")
    assert "()" not in sentence


def test_a_login_shell_that_runs_nothing_is_quoted() -> None:
    sentence = no_command("This account is currently not available.\n", 1, WAY)
    assert "the login shell ran no command: it said 'This account is currently not available.'" in sentence
    assert "ended with 1" in sentence
    assert "said" not in no_command("", 1, WAY)


def test_silence_names_the_limit() -> None:
    assert "was not answered within 35 s" in no_answer(35, WAY)


class Connection:
    """A connection plugin's options, as (value, origin)."""

    def __init__(self, **options: tuple[Any, str]) -> None:
        self.options = options

    def get_option_and_origin(self, name: str) -> tuple[Any, str]:
        return self.options[name]


def test_options_come_with_the_variable_that_said_them() -> None:
    connection = Connection(
        host=("10.0.0.1", "var: ansible_host"), port=(None, "default"), timeout=(7, "env: ANSIBLE_TIMEOUT")
    )
    way = way_of(connection, {"ansible_host": "10.0.0.1"})
    assert way["host"] == Option("10.0.0.1", "ansible_host")
    assert way["port"] == Option()
    assert way["timeout"] == Option("7", "env: ANSIBLE_TIMEOUT")
    assert way["key"] == Option()


def openssh(cipher: str) -> str:
    body = b"openssh-key-v1\0" + len(cipher).to_bytes(4, "big") + cipher.encode() + bytes(40)
    text = base64.b64encode(body).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{text}\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("text", "locked"),
    [
        (openssh("none"), False),
        (openssh("aes256-ctr"), True),
        ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", True),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", False),
        ("é", False),
        (None, False),
    ],
)
def test_whether_a_key_wants_a_passphrase(tmp_path: Path, text: str | None, locked: bool) -> None:
    key = tmp_path / "id"
    if text is not None:
        key.write_text(text, encoding="utf-8")
    assert way_of(Connection(private_key_file=(str(key), "default")), {}).key_is_locked is locked


@pytest.mark.timeout(60, method="thread")  # the other method has the only alarm
def test_silence_ends_at_its_limit_even_when_the_first_alarm_is_swallowed() -> None:
    def retried() -> None:
        with suppress(SilentError):  # as the retries of the connection do
            Event().wait(30)
        Event().wait(30)

    with pytest.raises(SilentError), within(0.05):
        retried()


@pytest.mark.timeout(60, method="signal")
def test_an_alarm_of_somebody_else_is_left_alone() -> None:
    with within(0.001):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 1


def test_what_is_quick_is_left_alone() -> None:
    with within(30):
        pass
