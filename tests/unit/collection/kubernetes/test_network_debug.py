"""The debug pod: what is checked, what the script says for real, and that the pod goes whatever happens."""

from __future__ import annotations

import http.server
import os
import pty
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _network_debug
from ansible_collections.saveit.remediation.plugins.module_utils._carrier import Carrier, Completed
from ansible_collections.saveit.remediation.plugins.module_utils._debug_pod import is_left_over, manifest
from ansible_collections.saveit.remediation.plugins.module_utils._network_checks import (
    Check,
    checks_of,
    rows_of,
    script_of,
)
from ansible_collections.saveit.remediation.plugins.module_utils._result import (
    FailedError,
    ObstacleError,
    Result,
)

NAMES = {"backend": "saveit-backend", "redis": "statefulset/redis-master"}
PATHS = {"backend": "/ready", "frontend": "/health"}


def service(
    name: str, *ports: int | tuple[int, str], label: str = "", protocol: str = "TCP"
) -> dict[str, Any]:
    pairs = [(port, "") if isinstance(port, int) else port for port in ports]
    return {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": label}},
        "spec": {"ports": [{"port": port, "name": word, "protocol": protocol} for port, word in pairs]},
    }


@pytest.mark.parametrize(
    ("services", "addresses", "checks"),
    [
        ([service("redis-master", 6379)], [], ["dns redis-master", "tcp redis-master:6379"]),
        (
            [service("saveit-backend", 1883, (8000, "http"))],
            [],
            [
                "dns saveit-backend",
                "tcp saveit-backend:1883",
                "tcp saveit-backend:8000",
                "http http://saveit-backend:8000/ready",
            ],
        ),
        ([service("web", 80, label="frontend")], [], ["dns web", "tcp web:80", "http http://web:80/health"]),
        ([service("dns", 53, protocol="UDP")], [], ["dns dns"]),
        ([service("external")], [], ["dns external"]),
        ([], ["db.example.com:5432"], ["dns db.example.com", "tcp db.example.com:5432"]),
        ([], ["db.example.com"], ["dns db.example.com"]),
        ([], ["192.0.2.1:5432"], ["tcp 192.0.2.1:5432"]),
        ([], ["[2001:db8::1]:443"], ["tcp [2001:db8::1]:443"]),
        ([], ["https://x.example/y"], ["dns x.example", "tcp x.example:443", "http https://x.example/y"]),
        ([service("a", 1)], ["a:1"], ["dns a", "tcp a:1"]),
    ],
)
def test_what_is_checked(services: list[Any], addresses: list[str], checks: list[str]) -> None:
    found = checks_of(services, NAMES, PATHS, addresses)
    assert [f"{each.kind} {each.target}" for each in found] == checks


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/well" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def tools(folder: Path, names: Sequence[str]) -> str:
    """A PATH with just these, as in a small image; leaves out what this machine does not have."""
    for name in names:
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.parametrize("image", ["python", "shell"])
def test_the_script_tells_the_truth_with_what_the_image_has(image: str, port: int, tmp_path: Path) -> None:
    path = os.environ["PATH"]
    if image == "shell":
        path = tools(tmp_path, ["sh", "cut", "tr", "tail", "getent", "timeout", "bash", "nc", "curl", "wget"])
        if not (tmp_path / "curl").exists() and not (tmp_path / "wget").exists():
            pytest.skip("this machine has neither curl nor wget")
    free = closed_port()
    checks = [
        Check("dns", "localhost"),
        Check("dns", "absent.invalid"),
        Check("tcp", f"127.0.0.1:{port}"),
        Check("tcp", f"127.0.0.1:{free}"),
        Check("http", f"http://127.0.0.1:{port}/well"),
        Check("http", f"http://127.0.0.1:{port}/sick"),
    ]
    with subprocess.Popen(
        ["sh", "-s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": path},
    ) as shell:
        assert shell.stdin
        assert shell.stdout
        shell.stdin.write(script_of(checks, 5))
        shell.stdin.flush()  # and stays open, as with an old protocol of exec
        said = shell.stdout.read()
    rows = rows_of(checks, said, 5)
    assert [row[2] for row in rows] == ["ok", "failed", "ok", "failed", "ok", "failed"]
    assert "HTTP 200" in rows[4][4]
    assert "503" in rows[5][4]
    assert all(row[4] for row in rows)


def test_a_tool_that_the_image_lacks_is_no_failure_of_the_network(tmp_path: Path) -> None:
    checks = [Check("tcp", "127.0.0.1:1"), Check("http", "http://127.0.0.1:1/")]
    path = tools(tmp_path, ["sh", "tr", "cut"])
    said = subprocess.run(
        ["sh", "-s"],
        input=script_of(checks, 2),
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert [row[2] for row in rows_of(checks, said, 2)] == ["no tool", "no tool"]


def test_a_check_that_says_nothing_had_no_answer_in_time() -> None:
    (row,) = rows_of([Check("tcp", "a:1")], "", 3)
    assert row == ["tcp", "a:1", "failed", None, "no answer within 3 s"]


def pod(phase: str = "Running", owner: str = "here/7", made: str = "2026-11-23T02:00:00Z") -> dict[str, Any]:
    found = manifest("saveit-debug-1", "image", 300, owner)
    found["metadata"]["creationTimestamp"] = made
    return {**found, "status": {"phase": phase}}


@pytest.mark.parametrize(
    ("seen", "after", "lives", "left"),
    [
        (pod(), 10, True, False),
        (pod(), 10, False, True),
        (pod(owner="elsewhere/7"), 10, False, False),
        (pod(owner="elsewhere/7"), 301, True, True),
        (pod(phase="Failed"), 10, True, True),
        (pod(phase="Pending", owner=""), 10, False, False),
    ],
)
def test_whose_pod_it_was(seen: dict[str, Any], after: float, lives: bool, left: bool) -> None:
    made = 1795399200.0
    assert is_left_over(seen, made + after, "here", lambda _pid: lives) is left


@dataclass
class Server:
    """An API server whose pods run at once, or are in this state; exec is the machine's own shell."""

    status: Mapping[str, Any] = field(
        default_factory=lambda: {"containerStatuses": [{"state": {"running": {}}}]}
    )
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)
    during: Any = None
    name: str = "the cluster test (namespace saveit)"
    services: list[dict[str, Any]] = field(default_factory=lambda: [service("localhost")])
    device: str = ""
    ended: Completed = field(default_factory=lambda: Completed(0, "", ""))

    def list(self, kind: str, label_selector: str = "") -> list[dict[str, Any]]:
        assert kind == "services" or label_selector == "saveit.remediation/pod=debug"
        return self.services if kind == "services" else list(self.pods.values())

    def create(self, _kind: str, body: dict[str, Any]) -> None:
        self.made.append(body)
        self.pods[body["metadata"]["name"]] = {**body, "status": self.status}

    def get(self, _kind: str, name: str) -> dict[str, Any]:
        return self.pods[name]

    def delete(self, _kind: str, name: str, _options: Mapping[str, Any]) -> None:
        if name not in self.pods:
            raise FailedError("gone")
        del self.pods[name]

    def execute(self, _pod: str, _container: str, command: Any, stdin: str, timeout: float) -> Completed:
        if self.during:
            self.during()
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Completed(done.returncode, done.stdout, done.stderr)

    def shell(self, pod: str, container: str, command: Any, device: str, is_over: Any) -> Completed:
        assert (pod in self.pods, container, device, is_over()) == (True, "debug", self.device, False)
        assert command[:2] == ["sh", "-c"]
        return self.ended

    def run(self, check_mode: bool = False, **more: Any) -> Result:
        given = {key: spec.get("default") for key, spec in _network_debug.ARGUMENTS.items()}
        time = iter(range(1_800_000_000, 1_900_000_000, 10))
        here: Any = self
        carrier = Carrier(
            no_command, lambda: next(time), lambda _s: None, check_mode, cluster=lambda _p: here
        )
        return _network_debug.run({**given, "platform": "kubernetes", **more}, carrier)


def no_command(command: Any, stdin: str) -> Completed:
    raise AssertionError(command)


def test_the_pod_is_made_used_and_removed() -> None:
    server = Server()
    result = server.run(image="tools:1", addresses=["127.0.0.1:1"])
    assert result.verdict == "failing"
    assert result.sentence == "1 of 2 checks from a pod in the cluster test (namespace saveit) are ok"
    assert [finding.id for finding in result.findings] == ["network-tcp"]
    (made,) = server.made
    assert made["spec"]["containers"][0]["image"] == "tools:1"
    assert made["spec"]["activeDeadlineSeconds"] == 300
    assert server.pods == {}


def test_what_a_killed_run_left_behind_is_removed_first() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    server = Server(
        pods={"saveit-debug-1": pod(owner=f"{socket.gethostname()}/{gone.pid}", made="2099-01-01T00:00:00Z")}
    )
    assert server.run().verdict == "healthy"
    assert server.pods == {}


def test_another_persons_pod_is_left_alone() -> None:
    server = Server(pods={"theirs": pod(owner="elsewhere/1", made="2099-01-01T00:00:00Z")})
    server.run()
    assert list(server.pods) == ["theirs"]


def test_sigterm_removes_the_pod_and_ends_us() -> None:
    server = Server(during=lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        server.run()
    assert server.pods == {}
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {
                "containerStatuses": [
                    {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}}
                ]
            },
            "with the image python:3.12-alpine (debug_image) in the cluster test (namespace saveit): "
            "ErrImagePull: no such host",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}
                ]
            },
            "within 60 s: Unschedulable: 0/1",
        ),
        (
            {"containerStatuses": [{"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]},
            "Error: exit code 1",
        ),
        ({"phase": "Pending"}, "within 60 s: Pending: no container yet"),
        ({"phase": "Failed", "message": "evicted"}, "Failed: evicted"),
    ],
)
def test_a_pod_that_does_not_start_is_said_and_removed(status: dict[str, Any], said: str) -> None:
    server = Server(status=status)
    with pytest.raises(FailedError) as error:
        server.run()
    assert said in str(error.value)
    assert server.pods == {}


def test_check_mode_makes_no_pod() -> None:
    server = Server()
    result = server.run(check_mode=True)
    assert (result.verdict, server.made) == ("planned", [])


def test_compose_has_no_pods() -> None:
    assert Server().run(platform="compose").verdict == "unavailable"


def test_a_namespace_without_services_and_addresses_is_said() -> None:
    with pytest.raises(FailedError, match="it has no Service, and debug_addresses is empty"):
        Server(services=[]).run()


@pytest.fixture
def device() -> Iterator[str]:
    """Of a terminal."""
    ours, theirs = pty.openpty()
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("rc", [0, 1, 130, 137])
def test_a_shell_has_ended_well_whatever_its_last_command_did(device: str, rc: int) -> None:
    server = Server(device=device, ended=Completed(rc, "", ""), services=[])
    assert server.run(terminal=device, hosts=["one"], shell_seconds=900).verdict == "healthy"
    assert server.made[0]["spec"]["activeDeadlineSeconds"] == 900
    assert server.pods == {}


def test_an_image_without_a_shell_is_said(device: str) -> None:
    server = Server(device=device, ended=Completed(127, "", 'exec: "sh": executable file not found'))
    with pytest.raises(FailedError, match=r'cannot open a shell in saveit-debug-.*exec: "sh"'):
        server.run(terminal=device)
    assert server.pods == {}


def test_one_terminal_is_in_one_place(device: str) -> None:
    server = Server()
    with pytest.raises(
        ObstacleError, match=r"on several hosts \(east, west\): choose one by --limit"
    ) as several:
        server.run(terminal=device, hosts=["east", "west"])
    assert (several.value.outcome, server.made) == ("refused", [])


@pytest.mark.parametrize("path", ["/dev/null", "/nowhere"])
def test_what_is_no_terminal_gets_no_pod(path: str) -> None:
    server = Server()
    with pytest.raises(FailedError, match=f"cannot open a shell at {path}"):
        server.run(terminal=path)
    assert server.made == []


def test_a_check_opens_no_shell(device: str) -> None:
    server = Server()
    assert (server.run(check_mode=True, terminal=device).verdict, server.made) == ("planned", [])
