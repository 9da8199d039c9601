"""Deliver beside a run, which never waits longer than it says, whatever a channel does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from saveit_remediate.errors import RemediateError
from saveit_remediate.journal import Journal
from saveit_remediate.notify.deliver import Post, Tally, deliver


def run_errand(
    incident_id: str, post: Callable[[], Post], journal: Callable[[], Journal], seconds: float
) -> list[str]:
    """Deliver for one incident; returns what has to be said, in sentences. Raises nothing of its own.

    In a thread that is left alone when its time is over: the journal knows what was claimed and not sent, and
    the next `notify` goes on with it.
    """
    found: list[Tally | str] = []

    def work() -> None:
        try:
            opened = post()
            if opened.policy.channels:
                with closing(journal()) as book:
                    found.append(deliver(book, [incident_id], opened, seconds))
        except RemediateError as error:
            found.append(f"nobody was told: {error}")

    thread = threading.Thread(target=work, name="courier", daemon=True)
    thread.start()
    thread.join(seconds + 1)
    if thread.is_alive():
        return ["the channels are slow; saveit-remediate notify sends what is left"]
    return [sentence for one in found for sentence in ([one] if isinstance(one, str) else sentences(one))]


def sentences(tally: Tally) -> list[str]:
    """What a person should know of a pass."""
    said = [*tally.problems, *(f"given up: {one}" for one in tally.given_up)]
    if tally.waiting:
        said.append(f"{tally.waiting} notices wait; saveit-remediate notify sends them")
    said += [f"a text waits to be published: saveit-remediate notify publish {one}" for one in tally.asking]
    return said
