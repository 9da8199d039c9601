"""Deliver beside a run: what it writes is told at once, and it never waits longer than it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from saveit_remediate.errors import RemediateError
from saveit_remediate.journal import Journal
from saveit_remediate.notify.deliver import Tally, deliver
from saveit_remediate.notify.post import Post

_PASS_SECONDS = 2.0  # of one pass while the run goes on


@dataclass
class Courier:
    """A thread with a journal of its own. `tell` is for the journal of the run, and only leaves a word.

    The thread is left alone when its time is over: the journal knows what was claimed and not sent, and the
    next `saveit-remediate notify` goes on with it.
    """

    post: Callable[[], Post]
    journal: Callable[[], Journal]
    seconds: float = 10.0  # that whoever is told of is waited for, when all else is done
    said: list[str] = field(default_factory=list)
    _words: SimpleQueue[str | None] = field(default_factory=SimpleQueue)
    _thread: threading.Thread | None = None

    def tell(self, incident_id: str) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="courier", daemon=True)
            self._thread.start()
        self._words.put(incident_id)

    def finish(self) -> list[str]:
        """Wait for what is on its way, at most `seconds`; returns what has to be said, in sentences."""
        if self._thread is None:
            return []
        self._words.put(None)
        self._thread.join(self.seconds + 1)
        if self._thread.is_alive():
            return ["the channels are slow; saveit-remediate notify goes on"]
        return self.said

    def _work(self) -> None:
        try:
            post = self.post()
            if not post.policy.channels:
                return
            with closing(self.journal()) as journal:
                self._passes(journal, post)
        except RemediateError as error:
            self.said.append(f"not all were told: {error}; saveit-remediate notify goes on")

    def _passes(self, journal: Journal, post: Post) -> None:
        told: dict[str, None] = {}
        while True:
            news, over = self._news()
            told |= news
            tally = deliver(journal, told if over else news, post, self.seconds if over else _PASS_SECONDS)
            if over:
                self.said += [*post.warnings, *sentences(tally)]
                return
            self.said += [f"given up: {one}" for one in tally.given_up]

    def _news(self) -> tuple[dict[str, None], bool]:
        """The incidents that have something new, waiting for one; and whether the run is over."""
        words = [self._words.get()]
        while True:
            try:
                words.append(self._words.get_nowait())
            except Empty:
                return dict.fromkeys(word for word in words if word is not None), None in words


def sentences(tally: Tally) -> list[str]:
    """What a person should know of a pass."""
    return [
        *(f"given up: {one}" for one in tally.given_up),
        *dict.fromkeys(f"{one}; saveit-remediate notify goes on" for one in tally.waiting),
        *(f"a text waits to be published: saveit-remediate notify publish {one}" for one in tally.asking),
    ]
