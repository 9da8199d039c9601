"""The command line of the lab: it parses, calls, prints sentences, and turns errors into exit codes."""

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from saveit_lab import compose, engine, faults, faulty, places, record, ssh, stack
from saveit_lab.errors import LabError
from saveit_lab.turns import alone

DESCRIPTION = """\
A staging host with the Save-It.AI stack in containers, to break on purpose and to repair.
Everything listens on 127.0.0.1 only: backend 8000, frontend 5000, TLS edge 8443, MQTT 1883,
Prometheus 9090. What the lab keeps is in .lab/ beside it.
"""


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # files of the state folder that belong to another user, a full disk
        print(f"lab: cannot use {error.filename or places.STATE}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted; run `lab repair` to have everything healthy", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    up = commands.add_parser("up", help="bring everything up and wait until it is healthy")
    up.add_argument(
        "--profile",
        choices=sorted(stack.SERVICES),
        default="deployed",
        help="the system as it is really deployed, or as its runbook documents it (default: deployed)",
    )
    up.set_defaults(run=_up)

    status = commands.add_parser("status", help="say what runs, what answers, what is broken")
    status.add_argument("--json", action="store_true", help="as a JSON object")
    status.set_defaults(run=_status)

    breaking = commands.add_parser("break", help="bring a fault about; returns when it is in force")
    breaking.add_argument("fault", metavar="FAULT", help="a name from `lab faults`")
    breaking.set_defaults(run=_break)

    commands.add_parser("repair", help="put everything back and wait until it is healthy").set_defaults(
        run=_repair
    )
    commands.add_parser(
        "down", help="remove containers, networks and volumes, and stop the engine if it is ours"
    ).set_defaults(run=_down)

    listing = commands.add_parser("faults", help="list the faults that can be brought about")
    listing.add_argument("--json", action="store_true", help="as a JSON list")
    listing.set_defaults(run=_faults)

    engines = commands.add_parser("engine", help="start, stop or look at the docker engine")
    engines.add_argument("what", choices=("start", "stop", "status"))
    engines.set_defaults(run=_engine)

    reached = commands.add_parser("ssh", help="the lab over SSH: start, stop or look at its server")
    reached.add_argument("what", choices=("up", "down", "status"))
    reached.set_defaults(run=_ssh)

    commands.add_parser(
        "env", help='print what a shell needs to use the lab\'s docker compose: eval "$(lab env)"'
    ).set_defaults(run=_env)
    return parser


def _up(options: argparse.Namespace) -> None:
    began = time.monotonic()
    with alone():
        stack.up(options.profile)
        without_ssh = _ssh_unless_impossible()
    if without_ssh:
        print(f"inventories/lab-ssh does not work here: {without_ssh}.")
    print(f"The lab is up and healthy, profile {options.profile} ({time.monotonic() - began:.1f} s).")


def _status(options: argparse.Namespace) -> None:
    services = stack.status()
    now = record.load()
    if options.json:
        shown = {
            "profile": now.profile,
            "engine": engine.describe(),
            "compose": compose.find().name,
            "ssh": ssh.describe(),
            "faults": list(now.faults),
            "healthy": not any(service.complaint for service in services),
            "services": [asdict(service) for service in services],
        }
        print(json.dumps(shown, indent=2))
        return
    print(f"Profile {now.profile}, {engine.describe()}, {compose.find().name}.")
    for service in services:
        answer = service.complaint or "answers"
        print(f"{service.name:<11} {service.container:<10} {service.health:<10} {answer}")
    print(f"SSH: {ssh.describe()}.")
    print(f"Faults in force: {', '.join(now.faults) or 'none'}.")


def _break(options: argparse.Namespace) -> None:
    fault = faults.find(options.fault)
    with alone():
        profile = stack.running_profile()
        if profile not in fault.profiles:
            raise LabError(
                f"cannot break {fault.name}: it exists on profile {' and '.join(fault.profiles)}, "
                f"and {profile} is up"
            )
        if fault.service in faulty.services():
            print(f"Repairing {fault.service} first: a fault is in force there already.", flush=True)
            stack.repair()
        faulty.bring(fault)
    print(f"{fault.name} is in force: {fault.description}.")


def _repair(_options: argparse.Namespace) -> None:
    began = time.monotonic()
    with alone():
        healed = stack.repair()
    seconds = f"({time.monotonic() - began:.1f} s)"
    print(f"Everything is healthy; put back: {', '.join(healed) or 'nothing, all was well'} {seconds}.")


def _down(_options: argparse.Namespace) -> None:
    with alone():
        ssh.down()
        stack.down()
        stopped = engine.stop()
    print("The lab is down" + (", and so is the docker engine that it had started." if stopped else "."))


def _faults(options: argparse.Namespace) -> None:
    if options.json:
        fields = ("name", "incident", "service", "expected", "finding", "profiles")
        print(json.dumps([{key: getattr(each, key) for key in fields} for each in faults.TABLE], indent=2))
        return
    for fault in faults.TABLE:
        only = f" (profile {fault.profiles[0]})" if len(fault.profiles) == 1 else ""
        print(f"{fault.name:<29} {fault.incident:<12} {fault.expected:<11} {fault.description}{only}")


def _engine(options: argparse.Namespace) -> None:
    with alone():
        if options.what == "start":
            engine.start()
        elif options.what == "stop" and not engine.stop():
            print("The lab has not started an engine, so it stops none.")
    print(f"Engine: {engine.describe()}.")


def _ssh(options: argparse.Namespace) -> None:
    with alone():
        if options.what == "up":
            engine.start()
            ssh.up()
        elif options.what == "down":
            ssh.down()
    print(f"SSH: {ssh.describe()}.")


def _ssh_unless_impossible() -> str:
    """The lab is of use without SSH too; returns why it has none."""
    try:
        ssh.up()
    except LabError as error:
        return str(error)
    return ""


def _env(_options: argparse.Namespace) -> None:
    for name, value in compose.find().env.items():
        print(f"export {name}={shlex.quote(value)}")
