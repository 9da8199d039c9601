"""The subresource exec, over a websocket with the protocols v5.channel.k8s.io and v4.channel.k8s.io."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from io import BufferedIOBase

from standin import programs, terminal, websocket
from standin.access import Attributes
from standin.answers import RefusalError, bad_request, not_found, not_played
from standin.kinds import Json
from standin.logs import container_of
from standin.requests import Request, Target
from standin.world import Executed, World

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
PIECE = 32 * 1024


def prepare(world: World, request: Request, target: Target) -> str:
    """Checks the request up to the upgrade; gives the protocol."""
    pod = world.store.get("pods", target.namespace, target.name)
    if pod is None:
        raise not_found(target.kind, target.name)
    if request.method == "GET":  # a websocket is opened by GET, and needs the right to create as well
        world.access.check(
            request.user, Attributes("create", "", "pods", "exec", target.namespace, target.name)
        )
    phase = pod.get("status", {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        raise bad_request(f"cannot exec into a container in a completed pod; current phase is {phase}")
    container_of(pod, request.query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        raise bad_request(f"pod {target.name} does not have a host assigned")
    if request.headers.get("upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    if not request.repeated.get("command"):
        raise not_played("exec without a command")
    if request.switch("tty"):
        terminal.check(request)
    offered = [each.strip() for each in request.headers.get("sec-websocket-protocol", "").split(",")]
    protocol = next((each for each in PROTOCOLS if each in offered), "")
    if not protocol:
        raise RefusalError(403, f"none of the protocols {offered} is known", reason="")
    return protocol


def converse(
    world: World,
    request: Request,
    target: Target,
    reader: BufferedIOBase,
    writer: BufferedIOBase,
    protocol: str,
) -> None:
    """Runs the command and sends what it wrote, then how it ended."""

    def send(channel: int, data: bytes) -> None:
        with lock:
            writer.write(websocket.frame(bytes([channel]) + data))
            writer.flush()

    lock = threading.Lock()
    pod = world.store.get("pods", target.namespace, target.name) or {}
    container = container_of(pod, request.query.get("container", ""))
    said = websocket.messages(reader, writer, lock)
    if not _is_running(pod, container):
        message = f'unable to upgrade connection: container not found ("{container}")'
        send(STATUS, json.dumps(_failure(message, "InternalError", 500)).encode())
    elif request.switch("tty"):
        _at_a_terminal(pod, request.repeated["command"], said, send)
    else:
        stdin = _stdin(said, closes=protocol == PROTOCOLS[0]) if request.switch("stdin") else ""
        done = _executed(world, pod, request.repeated["command"], stdin)
        if done is None:
            send(STATUS, json.dumps(_not_found(request.repeated["command"][0])).encode())
        else:
            _tell(request, send, done)
            if done.stays:
                _wait_for_the_end(world, said)
                return
            send(STATUS, json.dumps(_status(done.rc)).encode())
    writer.write(websocket.frame((1000).to_bytes(2, "big"), websocket.CLOSE))
    writer.flush()


def _at_a_terminal(
    pod: Json, command: Sequence[str], said: Iterator[bytes], send: Callable[[int, bytes], None]
) -> None:
    try:
        code = terminal.converse(pod, command, said, send)
    except LookupError:
        send(STATUS, json.dumps(_not_found(command[0])).encode())
    else:
        send(STATUS, json.dumps(_status(137 if code is None else code)).encode())


def _tell(request: Request, send: Callable[[int, bytes], None], done: Executed) -> None:
    for channel, name, text in ((STDOUT, "stdout", done.stdout), (STDERR, "stderr", done.stderr)):
        data = text.encode()
        if request.switch(name):
            for at in range(0, len(data), PIECE):
                send(channel, data[at : at + PIECE])


def _stdin(said: Iterator[bytes], *, closes: bool) -> str:
    """All of the input. Only v5 can say that it ends; with v4 a command that reads to the end never ends."""
    data = b""
    for message in said:
        if closes and message[:1] == bytes([CLOSE]) and message[1:2] == bytes([STDIN]):
            break
        if message[:1] == bytes([STDIN]):
            data += message[1:]
    return data.decode()


def _wait_for_the_end(world: World, said: Iterator[bytes]) -> None:
    for _message in said:
        if world.stopped:
            return


def _is_running(pod: Json, container: str) -> bool:
    statuses = [
        *pod.get("status", {}).get("containerStatuses", []),
        *pod.get("status", {}).get("ephemeralContainerStatuses", []),
    ]
    return any(each["name"] == container and "running" in each["state"] for each in statuses)


def _executed(world: World, pod: Json, command: Sequence[str], stdin: str) -> Executed | None:
    """None: the container has no such program."""
    for answer in reversed(world.answers):
        done = answer(pod, command, stdin)
        if done is not None:
            return done
    return programs.play(world, pod, command, stdin)


def _status(rc: int) -> Json:
    if rc == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {}, "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {rc}",
        "reason": "NonZeroExitCode", "details": {"causes": [{"reason": "ExitCode", "message": str(rc)}]},
    }  # fmt: skip


def _failure(message: str, reason: str, code: int) -> Json:
    return {"metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code}


def _not_found(program: str) -> Json:
    why = (
        "error executing command in container: failed to exec in container: failed to start exec: "
        "OCI runtime exec failed: "
        f'exec failed: unable to start container process: exec: "{program}": executable file not '
        "found in $PATH: unknown"
    )
    return {
        **_failure(f"Internal error occurred: {why}", "InternalError", 500),
        "details": {"causes": [{"message": why}]},
    }
