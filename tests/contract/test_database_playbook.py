"""The database playbook against a Docker engine on paper: what the backend was told a while ago, and now."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

SERVER = Path(__file__).parents[1] / "fixtures/postgresql-15.18/healthy.json"
SLOTS = "2026-11-23T02:48:10Z Readiness check failed: FATAL:  sorry, too many clients already"
POOL = "2026-11-23T02:48:10Z Readiness check failed: QueuePool limit of size 10 overflow 20 reached"

# The backend's log: what it said in the last seconds, and what is older.
LOGS = """#!/bin/sh
case "$*" in
  logs*--since=60s*) cat "{folder}/old" "{folder}/fresh" ;;
  logs*) cat "{folder}/fresh" ;;
  *) exec "{docker}" "$@" ;;
esac
"""


class NotReady(BaseHTTPRequestHandler):
    """A backend that is not ready, for whatever reason."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def backend() -> Iterator[str]:
    """The address of a backend that answers 503."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotReady)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("old", "fresh", "expected"),
    [
        (SLOTS, "", []),  # the slots are free again, and the backend fails for its own reason
        ("", SLOTS, ["database-slots-exhausted"]),
        (POOL, "", ["database-pool-exhausted"]),  # it gives up after 30 s, so this is the present still
        (POOL, SLOTS, ["database-slots-exhausted"]),
    ],
)
def test_what_the_server_told_the_backend_a_while_ago_is_not_what_is_wrong_now(
    engine: Any, ansible: Callable[..., Any], custom_stats: Callable[[str], Any], backend: str,
    tmp_path: Path, old: str, fresh: str, expected: list[str],
) -> None:  # fmt: skip
    docker = engine("running")
    shutil.copy(SERVER, tmp_path / "sessions")
    for name, line in (("old", old), ("fresh", fresh)):
        (tmp_path / name).write_text(f"{line}\n" if line else "", "utf-8")
    with_logs = tmp_path / "with-logs"
    with_logs.write_text(LOGS.format(folder=tmp_path, docker=docker.command), "utf-8")
    with_logs.chmod(0o755)
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "platform": "compose",
        "docker_command": [str(with_logs)],
        "database_backend_url": backend,
        "ladder_mode": "diagnose",
    }
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"staging": host}}}), "utf-8")
    done = ansible("ansible-playbook", "saveit.remediation.database", "-i", str(inventory))
    published = custom_stats(done.stdout + done.stderr)["remediation"]
    assert [each["id"] for each in published["findings"] if each["kind"] == "symptom"] == expected
