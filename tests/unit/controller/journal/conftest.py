"""Both homes of a journal: a file of SQLite, and a real PostgreSQL on loopback, which a test may stop."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from saveit_remediate.journal import Journal, open_journal, read_journal
from saveit_remediate.journal.chain import Verdict, verify

NOON = datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=UTC)
PASSWORD = "of the journal"
# As root, we are the user nobody, for PostgreSQL refuses to be root's.
DROP = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []


@dataclass
class Server:
    """A PostgreSQL that can be stopped and started again, on the same port with the same data."""

    binaries: Path
    folder: Path
    port: int
    running: subprocess.Popen[bytes] | None = None

    def url(self, database: str, password: str = PASSWORD.replace(" ", "%20")) -> str:
        return f"postgresql://saveit:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        flags = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        command = [str(self.binaries / "postgres"), "-D", "data", "-p", str(self.port), *flags]
        with (self.folder / "log").open("ab") as log:
            self.running = subprocess.Popen([*DROP, *command], stdout=log, stderr=log, cwd=self.folder)
        ends = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1", "postgres")
            except psycopg.OperationalError:
                assert time.monotonic() < ends, "PostgreSQL did not start"
                threading.Event().wait(0.05)
            else:
                return

    def stop(self) -> None:
        """At once, as a crash."""
        if self.running is not None:
            self.running.send_signal(3)  # SIGQUIT
            self.running.wait(30)
            self.running = None

    def execute(self, statement: str, database: str) -> None:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="saveit",
            password=PASSWORD,
            dbname=database,
            autocommit=True,
        ) as session:
            session.execute(statement.encode())


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL server here (Debian: apt-get install postgresql-15)")
    with tempfile.TemporaryDirectory(prefix="saveit-journal-") as name:
        folder = Path(name)
        (folder / "password").write_text(PASSWORD, "utf-8")
        if DROP:
            for path in (folder, folder / "password"):
                os.chown(path, 65534, 65534)
        made = subprocess.run(
            [*DROP, str(found[-1].parent / "initdb"), "-D", "data", "-U", "saveit", "-N", "-E", "UTF8",
             "--locale=C", "-A", "scram-sha-256", "--pwfile=password"],
            capture_output=True, text=True, check=False, cwd=folder,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server = Server(found[-1].parent, folder, free.getsockname()[1])
        server.start()
        yield server
        server.stop()


_numbers = itertools.count(1)


@pytest.fixture
def database(server: Server) -> str:
    """A new, empty database of the server, by its name."""
    name = f"journal{next(_numbers)}"
    if server.running is None:
        server.start()
    server.execute(f"CREATE DATABASE {name}", "postgres")
    return name


@dataclass
class Home:
    """Where a journal is; `spool` is the folder for what its server does not take."""

    where: str
    spool: Path
    said: list[str] = field(default_factory=list)

    def open(self) -> Journal:
        return open_journal(self.where, "from a test", self.spool, self.said.append)

    def read(self) -> Journal:
        return read_journal(self.where, "from a test")

    def verify(self) -> Verdict:
        with closing(self.read()) as journal:
            return verify(*journal.whole())

    def tamper(self, *statements: str) -> None:
        """As somebody would who has the database, and not us."""
        with closing(self.open()) as journal, journal.engine.connect() as connection, connection.begin():
            for statement in statements:
                connection.exec_driver_sql(statement)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """The same tests on both."""
    if request.param == "sqlite":
        return Home(str(tmp_path / "new" / "folder" / "j.db"), tmp_path / "spool")
    server: Server = request.getfixturevalue("server")
    return Home(server.url(request.getfixturevalue("database")), tmp_path / "spool")


@pytest.fixture
def written() -> Callable[..., Any]:
    """Write events of these incidents, one after the other."""

    def write(home: Home, *incidents: str) -> None:
        with closing(home.open()) as journal:
            for number, incident in enumerate(incidents):
                journal.append(incident, "event", {"n": number}, NOON)

    return write
