"""Secrets are planted wherever they can come in, and then looked for in all that was written or shown."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.once

MARK = "pLanTed"  # is part of each secret, and of nothing else


def secret(place: str) -> str:
    return f"{MARK}-{place}-0x7F"


LOG = "\n".join(
    f"2026-11-23T02:48:{second:02}Z ERROR redis failed: {line}"
    for second, line in enumerate(
        [
            f"redis://:{secret('log-url')}@redis:6379/0",
            f"password='{secret('log quoted')}'",
            f"REDIS_PASSWORD={secret('log-environment')}",
            f"Authorization: Bearer {secret('log-bearer')}",
            f'{{"api_key": "{secret("log-json")}"}}',
            f"eyJhbGciOiJI.{secret('log-jwt')}.c2lnbmF0dXJl",
            "-----BEGIN PRIVATE KEY-----",
            secret("log-key") * 4,
            "-----END PRIVATE KEY-----",
            f"it tried {secret('redis')}, which it was given",
        ]
    )
)
ENVIRONMENT = [f"REDIS_PASSWORD={secret('container')}", f"DATABASE_URL=postgresql://u:{secret('dsn')}@db/x"]
# The `docker` of a host: all that it says has secrets in it.
DOCKER = """#!/bin/sh
cd "{folder}"
case "$1" in
  ps) printf '1\\tredis\\tFalse\\n2\\tbackend\\tFalse\\n' ;;
  inspect) cat inspected ;;
  logs) cat log ;;
  info) echo 4 ;;
  exec) exit 1 ;;
  start | restart | unpause) echo "Error: TOKEN={token} is refused, {redis} too" >&2; exit 1 ;;
esac
"""


@dataclass
class Planted:
    """A site with secrets, a place for all that is written, and what was seen of processes meanwhile."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    open_folders: set[str] = field(default_factory=set)

    @property
    def written(self) -> Path:
        return self.folder / "written"

    def run(self, *arguments: str, code: int | tuple[int, ...], **environ: str) -> str:
        """The command; what it says is kept among what was written."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,))
        watch.start()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "saveit_remediate", *arguments],
                cwd=self.folder / "site", env={**self.environment, **environ}, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
        finally:
            over.set()
            watch.join()
        said = done.stdout + done.stderr
        (self.written / f"said-{len(list(self.written.iterdir()))}").write_text(said, "utf-8")
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), said
        return done.stdout

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(0.03):
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    line = each.read_bytes()
                    if MARK.encode() in line:
                        self.seen.add(line.replace(b"\0", b" ").decode(errors="replace"))
            for each in (self.written / "tmp").iterdir():
                with contextlib.suppress(OSError):
                    if stat.S_IMODE(each.lstat().st_mode) & 0o077:
                        self.open_folders.add(each.name)

    def leaks(self) -> dict[str, str]:
        """Where a secret was written: file, and what stands around it."""
        found = {}
        for path in self.written.rglob("*"):
            if path.is_file() and MARK in (text := path.read_bytes().decode(errors="replace")):
                place = text.index(MARK)
                found[str(path.relative_to(self.written))] = text[max(0, place - 60) : place + 60]
        return found


def redis_says(client: socket.socket) -> None:
    while client.recv(1000):
        client.sendall(f"-ERR {secret('redis')} is not the password\r\n".encode())


def postgres_says(client: socket.socket) -> None:
    if client.recv(1000)[4:8] == b"\x04\xd2\x16\x2f":  # SSLRequest
        client.sendall(b"N")
        client.recv(1000)
    text = (
        b"SFATAL\0VFATAL\0C28P01\0M" + f"{secret('database')} is wrong, password=x{MARK}".encode() + b"\0\0"
    )
    client.sendall(b"E" + (len(text) + 4).to_bytes(4, "big") + text)


def broker_says(client: socket.socket) -> None:
    client.recv(1000)
    client.sendall(secret("mqtt").encode())


def web_says(client: socket.socket) -> None:
    """As a proxy that repeats the request, in the reason, in a header and in the body."""
    asked = client.recv(10000).decode(errors="replace")
    token = next((line for line in asked.split("\r\n") if line.lower().startswith("authorization")), "")
    body = f'{{"kind":"Status","status":"Failure","code":500,"message":"no: {token} {secret("kubernetes")}"}}'
    client.sendall(
        f"HTTP/1.1 500 token={secret('reason')}\r\nContent-Type: application/json\r\n"
        f"Set-Cookie: s={secret('cookie')}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, loopback: Callable[[Any], int]) -> Iterator[Planted]:
    made = Planted(tmp_path_factory.mktemp("planted"))
    site, written = made.folder / "site", made.written
    for folder in (site / "group_vars" / "all", written / "tmp", written / "home"):
        folder.mkdir(parents=True)
    host = {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable, "platform": "compose",
        "docker_command": [str(site / "docker")], "interlock_folder": str(written / "interlock"),
        "ladder_hold_seconds": 0, "redis_samples": 1, "database_samples": 1, "mqtt_samples": 1,
    }  # fmt: skip
    web = loopback(web_says)
    hosts = {
        "staging": {**host, "backend_url": f"http://user:{secret('backend')}@127.0.0.1:{web}"},
        "servers": {
            **host, "redis_host": "127.0.0.1", "redis_port": loopback(redis_says),
            "mqtt_host": "127.0.0.1", "mqtt_port": loopback(broker_says), "mqtt_username": "device",
            "mqtt_password": "{{ lookup('env', 'PLANTED') }}", "database_login_host": "127.0.0.1",
            "database_login_port": loopback(postgres_says), "database_login_password": secret("database"),
        },
        "cluster": {
            **host, "platform": "kubernetes", "kubernetes_kubeconfig": str(site / "kubeconfig"),
        },
    }  # fmt: skip
    (site / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    (site / "kubeconfig").write_text(yaml.safe_dump(kubeconfig(web)))
    (site / "kubeconfig").chmod(0o600)
    (site / "inspected").write_text(inspected())
    (site / "log").write_text(LOG)
    (site / "docker").write_text(DOCKER.format(folder=site, token=secret("engine"), redis=secret("redis")))
    (site / "docker").chmod(0o755)
    (site / "password").write_text(secret("vault-password"))
    (site / "group_vars/all/vault.yml").write_text(vault(f"redis_password: {secret('redis')}\n"))
    foreign = ("SAVEIT_", "ANSIBLE_", "KUBE", "XDG_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    made.environment = {
        **clean, "HOME": str(written / "home"), "TMPDIR": str(written / "tmp"), "PLANTED": secret("mqtt"),
        "REDISCLI_AUTH": secret("environment"), "SAVEIT_INVENTORY": str(site / "hosts.yml"),
        "ANSIBLE_VAULT_PASSWORD_FILE": str(site / "password"),
        "ANSIBLE_LOG_PATH": str(written / "ansible.log"),
    }  # fmt: skip
    yield made
    assert made.seen == set(), "on a command line"
    assert made.open_folders == set(), "others can read it"


def vault(text: str) -> str:
    from ansible.constants import DEFAULT_VAULT_ID_MATCH
    from ansible.parsing.vault import VaultLib, VaultSecret

    key = [(DEFAULT_VAULT_ID_MATCH, VaultSecret(secret("vault-password").encode()))]
    return str(VaultLib(key).encrypt(text).decode())


def kubeconfig(port: int) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "x", "user": {"token": secret("kubernetes")}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
    }  # fmt: skip


def inspected() -> str:
    """Two containers; JSON is YAML."""
    import json

    def container(number: str, name: str, status: str) -> dict[str, Any]:
        return {
            "Id": number, "Name": f"/saveit-{name}", "Config": {"Env": ENVIRONMENT},
            "State": {"Status": status, "ExitCode": 1, "Error": f"PASSWORD={secret('state')}"},
        }  # fmt: skip

    return json.dumps([container("1", "redis", "exited")])


def test_of_a_remedy_that_fails_no_secret_is_written_or_shown(planted: Planted) -> None:
    planted.run("--incident", "redis", "-l", "staging", "--yes", "--json", "-vvvv", code=3)
    shown = planted.run("show", "last", "--json", code=0)
    assert "TOKEN=******** is refused, ******** too" in shown
    assert "it tried ********, which it was given" in shown
    planted.run("show", "last", code=0)
    planted.run("journal", "export", code=0)
    assert planted.leaks() == {}
    assert [each.name for each in (planted.written / "tmp").iterdir()] == []


def test_of_servers_that_repeat_what_they_were_told_nothing_is_written_or_shown(planted: Planted) -> None:
    said = planted.run("diagnose", "-l", "servers,cluster", "--json", "-vvvv", code=0)
    assert "answers AUTH with ******** is not the password" in said
    assert "FATAL: ******** is wrong, password=********" in said
    assert "answers CONNECT with b'********'" in said
    assert "answers 500: no: authorization: Bearer ******** ********" in said
    assert planted.leaks() == {}
    assert [each.name for each in (planted.written / "tmp").iterdir()] == []


def test_of_the_logs_of_services_no_secret_is_shown(planted: Planted) -> None:
    said = planted.run("errors", "-l", "staging", "--since", "1d", code=0)
    for line in (
        "redis://:********@redis:", "password='********'", "REDIS_PASSWORD=********",
        "Authorization: Bearer ********", '{"api_key": "********"}', "redis failed: ********",
    ):  # fmt: skip
        assert line in said
    assert planted.leaks() == {}


@pytest.mark.parametrize("url", ["127.0.0.1:1/db?password={}", "[::1/db", "127.0.0.1:{}/db", "{}@{}:1/db"])
def test_of_the_url_of_a_journal_the_password_is_not_shown(planted: Planted, url: str) -> None:
    url = url.replace("{}", secret("journal"))
    planted.run("incidents", code=(5, 2), SAVEIT_JOURNAL=f"postgresql://u:{secret('journal')}@{url}")
    assert planted.leaks() == {}


@pytest.mark.parametrize("given", ["redis_password={}", '{"mqtt_password": "{}"}', "x=1 api_token='{}'"])
def test_a_secret_on_the_command_line_is_refused_and_not_repeated(planted: Planted, given: str) -> None:
    planted.run("--incident", "redis", "-e", given.replace("{}", secret("typed")), code=2)
    planted.seen.clear()  # it was there, by the person's own hand
    assert planted.leaks() == {}
