"""exec with a terminal: the shell of the debug pod is one of this machine, at a terminal of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Callable, Iterator, Sequence

from standin.answers import not_played
from standin.kinds import Json
from standin.programs import DEBUG
from standin.requests import Request

STDIN, STDOUT, RESIZE = 0, 1, 4
# Makes the terminal its own, then becomes the command.
LOG_IN = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


def check(request: Request) -> None:
    """A kubelet leaves out stderr where there is a terminal, so that a client that asks for both is wrong."""
    if not (request.switch("stdin") and request.switch("stdout")) or request.switch("stderr"):
        raise not_played("exec with a terminal, but for stdin and stdout alone")


def converse(
    pod: Json, command: Sequence[str], said: Iterator[bytes], send: Callable[[int, bytes], None]
) -> int | None:
    """Plays the shell until it ends: its exit code, or None when the client went away before.

    Raises LookupError: the container has no such program.
    """
    if pod["spec"]["containers"][0]["name"] != DEBUG or command[0] != "sh":
        raise LookupError(command[0])
    ours, theirs = pty.openpty()
    with tempfile.TemporaryDirectory() as home:
        shell = subprocess.Popen(
            [sys.executable, "-c", LOG_IN, *command], stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True, cwd=home,
            env={"PATH": os.environ.get("PATH", ""), "HOME": home, "PS1": "$ "},
        )  # fmt: skip
        os.close(theirs)
        listening = threading.Thread(target=_listen, args=(said, ours, shell), daemon=True)
        listening.start()
        with contextlib.suppress(OSError):  # EIO: nobody has the terminal any more
            while piece := os.read(ours, 4096):
                send(STDOUT, piece)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGHUP)
        code = shell.wait(10)
        os.close(ours)
    return None if code == -signal.SIGHUP else code


def _listen(said: Iterator[bytes], terminal: int, shell: subprocess.Popen[bytes]) -> None:
    """Until the client goes away, which closes the terminal."""
    with contextlib.suppress(OSError):
        for message in said:
            if message[0] == STDIN:
                os.write(terminal, message[1:])
            elif message[0] == RESIZE:
                size = json.loads(message[1:])
                window = struct.pack("HHHH", size["Height"], size["Width"], 0, 0)
                fcntl.ioctl(terminal, termios.TIOCSWINSZ, window)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGHUP)
