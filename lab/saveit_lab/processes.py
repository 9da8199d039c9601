"""Processes that the lab started and finds again by a file that holds their number."""

from __future__ import annotations

from pathlib import Path


def running(file: Path, name: str) -> int | None:
    """The process that a pid file names, if that really is a living program of this name."""
    try:
        pid = int(file.read_text(encoding="ascii"))
        comm = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return pid if comm == name and alive(pid) else None


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and that nobody has waited for does not."""
    return (_stat(pid) or ["Z"])[0] != "Z"


def below(root: int) -> list[int]:
    """The living processes that a process started, and those that these started."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat and stat[0] != "Z":
            parents[int(folder.name)] = int(stat[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _stat(pid: int) -> list[str]:
    """State, parent and so on; empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
