"""`debug --shell`: a shell in the debug pod, at a terminal that is left as it was found."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.saveit.remediation.plugins.module_utils import _kubernetes_shell
from ansible_collections.saveit.remediation.plugins.module_utils._debug_pod import CONTAINER, manifest
from ansible_collections.saveit.remediation.plugins.module_utils._kubernetes_api import connect
from ansible_collections.saveit.remediation.plugins.module_utils._result import FailedError
from standin.command import COMMAND, REPOSITORY
from standin.terminal import LOG_IN
from test_debug import debug_pods, descendants

if TYPE_CHECKING:
    from standin.cluster import Cluster
    from standin.played import StandIn

PATIENCE = 120.0  # seconds: a real cluster may have to pull an image
CTRL_C = "\x03"


class Person:
    """Who types at a terminal, and reads what is there."""

    def __init__(self) -> None:
        self.hand, self.screen = pty.openpty()
        self.device, self.before, self.seen = os.ttyname(self.screen), termios.tcgetattr(self.screen), ""
        self.resize(100, 40)

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.hand, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.hand, text.encode())

    def reads(self, text: str) -> None:
        """Waits for it; what came before is read then."""
        ends = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < ends, f"no {text!r} in {self.seen!r}"
            if select.select([self.hand], [], [], 0.1)[0]:
                self.seen += os.read(self.hand, 4096).decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def has_it_back(self) -> bool:
        return termios.tcgetattr(self.screen) == self.before

    def close(self) -> None:
        os.close(self.hand)
        os.close(self.screen)


@pytest.fixture
def person() -> Iterator[Person]:
    one = Person()
    yield one
    one.close()


def begin(cluster: Cluster, person: Person) -> subprocess.Popen[bytes]:
    """`debug --shell` at the terminal of the person, until the shell takes what is typed."""
    cluster.command("--version")  # writes the inventory
    inventory = str(cluster.folder / "inventory.yml")
    foreign = ("SAVEIT_", "ANSIBLE_", "KUBE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    image = cluster.variables.get("debug_image") or os.environ.get("BACKEND_IMAGE")
    more = ["--image", image] if image else []
    started = subprocess.Popen(
        [sys.executable, "-c", LOG_IN, COMMAND, "debug", "--shell", "-i", inventory, *more],
        cwd=REPOSITORY, stdin=person.screen, stdout=person.screen, stderr=person.screen,
        start_new_session=True,
        env={**clean, "TERM": "xterm", "XDG_STATE_HOME": str(cluster.folder / "state")},
    )  # fmt: skip
    person.reads("`exit` ends it")
    person.type("echo rea''dy\r")
    person.reads("ready\r\n")
    return started


def test_keys_window_and_ctrl_c_are_the_shells_and_the_terminal_is_given_back(
    cluster: Cluster, person: Person
) -> None:
    with begin(cluster, person) as started:
        person.type("echo $TERM; stty size\r")
        person.reads("xterm\r\n40 100\r\n")
        person.resize(132, 50)
        person.type("until stty size | grep '50 1''32'; do :; done\r")
        person.reads("50 132\r\n")
        person.type("sh -c 'echo sl\"\"eeps; exec sleep 600'\r")
        person.reads("sleeps\r\n")
        person.type(CTRL_C)
        person.type("echo aft''er $?\r")
        person.reads("after 130\r\n")
        assert not person.has_it_back()
        person.type("exit 3\r")
        person.reads("has ended, and its pod is removed")
        assert started.wait(30) == 0
    assert person.has_it_back()
    cluster.wait(lambda: not debug_pods(cluster), "the pod is gone")


@pytest.mark.parametrize(
    ("victim", "number", "code"),
    [
        ("command", signal.SIGTERM, 130),
        pytest.param("run", signal.SIGKILL, 5, marks=pytest.mark.long),
        pytest.param("command", signal.SIGKILL, -signal.SIGKILL, marks=pytest.mark.long),
    ],
)
def test_whoever_is_killed_the_terminal_is_given_back_and_no_pod_stays(
    cluster: Cluster, person: Person, victim: str, number: int, code: int
) -> None:
    cluster.behave("backend")
    with begin(cluster, person) as started:
        for pid in descendants(started.pid) if victim == "run" else [started.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        assert started.wait(30) == code
    cluster.wait(person.has_it_back, "the terminal is as it was")
    if victim == "run":  # nobody was left to remove it but the next
        cluster.command("debug")
    cluster.wait(lambda: not debug_pods(cluster), "the pod is gone")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--shell"], "--shell needs a terminal"), (["--shell", "--json"], "exclude each other")],
)
def test_without_a_terminal_there_is_no_shell_and_no_pod(
    cluster: Cluster, arguments: list[str], said: str
) -> None:
    with cluster.unchanged():
        done = cluster.command("debug", *arguments)
    assert done.code == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def at_a_terminal(standin: StandIn, person: Person) -> tuple[threading.Thread, list[Any]]:
    """A shell over the connection alone, and how it ended."""
    standin.apply(manifest("saveit-debug-1", "any", 300, "here/1"))
    standin.wait(
        lambda: [each for each in debug_pods(standin) if each["status"]["phase"] == "Running"], "it runs"
    )
    ended: list[Any] = []

    def sit() -> None:
        api = connect({"kubeconfig": str(standin.kubeconfig), "namespace": standin.namespace})
        try:
            ended.append(api.shell("saveit-debug-1", CONTAINER, ["sh"], person.device, lambda: False))
        except FailedError as error:
            ended.append(error)
        finally:
            api.close()

    thread = threading.Thread(target=sit, daemon=True)
    thread.start()
    person.type("echo rea''dy\r")
    person.reads("ready\r\n")
    return thread, ended


@pytest.mark.parametrize("protocol", ["v5.channel.k8s.io", "v4.channel.k8s.io"])
def test_the_shell_speaks_both_protocols(
    standin: StandIn, person: Person, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_kubernetes_shell, "V5", protocol)
    thread, ended = at_a_terminal(standin, person)
    person.type("seq 20''000\r")  # more than a frame
    person.reads("20000\r\n")
    person.type("exit 7\r")
    thread.join(10)
    assert ended[0].rc == 7
    assert person.has_it_back()


def test_a_connection_that_breaks_is_said_and_the_terminal_is_given_back(
    standin: StandIn, person: Person
) -> None:
    thread, ended = at_a_terminal(standin, person)
    standin.stop()
    thread.join(10)
    assert str(ended[0]).startswith("cannot open a shell in pods/saveit-debug-1")
    assert person.has_it_back()
