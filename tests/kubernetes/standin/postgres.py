"""psql and the shell in the pod of the database: a server in a state, with documents of a recorded one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import breaking
from standin.world import Executed

RECORDED = Path(__file__).resolve().parents[2] / "fixtures" / "postgresql-15.18"
BREAKS = {
    breaking.TAKE_EVERY_SLOT: "slots",
    breaking.HOLD_LOCKS: "locks",
    breaking.WANT_PASSWORD: "password",
}
SOCKET = 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
REFUSALS = {
    "slots": f"{SOCKET}FATAL:  sorry, too many clients already\n",
    "password": f"{SOCKET}fe_sendauth: no password supplied\n",
}


def psql(state: dict[str, Any], sql: str) -> Executed:
    now = state.get("state", "")
    if now in REFUSALS:
        return Executed(2, "", REFUSALS[now])
    if "pg_terminate_backend" in sql:
        return Executed(0, _ended(state))
    if "pg_stat_activity" in sql and "'about'" in sql:
        return Executed(0, json.dumps(_document(state)))
    if sql.strip().rstrip(";").lower() == "select 1":
        return Executed(0, "1\n")
    return Executed(3, "", "ERROR:  the stand-in does not play this statement\n")


def shell(state: dict[str, Any], words: Sequence[str]) -> Executed | None:
    """What breaks it, the list of its processes, and the signal to one of them; None for anything else."""
    script = words[2] if len(words) > 2 else ""
    if script in BREAKS:
        state["state"] = BREAKS[script]
        return Executed()
    if script.startswith("head -v") and "/proc/" in script:
        return Executed(0, (RECORDED / "processes.txt").read_text())
    if script.endswith('kill -TERM "$1"') and state.get("state") == "slots":
        state["state"] = "idle"  # one slot is free, and idle sessions have the others
        return Executed()
    return None


def _document(state: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RECORDED / "healthy.json").read_text())
    if state.get("state") == "locks":
        holds = next(each for each in document["sessions"] if each["state"] == "idle in transaction")
        waits = next(each for each in document["sessions"] if each["state"] == "idle")
        query = {"query": "SELECT * FROM held", "query_seconds": 30.0, "seconds": 30.0, "state": "active"}
        waits |= {**query, "waiting": True, "blocked_by": [holds["pid"]]}
        holds |= {"seconds": 31.0, "query_seconds": 31.0}
    return document


def _ended(state: dict[str, Any]) -> str:
    """The recorded document of a check, with its sessions ended; nothing is chosen in a healthy server."""
    recorded = json.loads((RECORDED / "would_terminate.json").read_text())
    document = {**_document(state), **{name: recorded[name] for name in ("chosen", "not_permitted")}}
    pids = {each["pid"] for each in document["sessions"]}
    if state.get("state") == "locks":
        holder = next(each["blocked_by"][0] for each in document["sessions"] if each["blocked_by"])
        document["chosen"] = [{"pid": holder, "ended": True}]
    elif state.get("state") == "idle":
        document["chosen"] = [{**each, "ended": True} for each in recorded["chosen"] if each["pid"] in pids]
    else:
        document["chosen"] = []
    state["state"] = ""
    return json.dumps(document)
