"""The worker says that it lives, and which of its parts do."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event

import structlog

from data.link_store import LinkStore
from data.session import store_unavailable

EVERY_S = 5.0
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
log = structlog.get_logger()


class Heartbeat:
    """Writes a line for the System page every few seconds.

    A part that fails ends the whole worker, so the line speaks for all of them.
    """

    def __init__(
        self, links: LinkStore, parts: Sequence[object], clock: Callable[[], datetime]
    ) -> None:
        self._links = links
        self._parts = ", ".join(_words(type(part).__name__) for part in parts)
        self._clock = clock
        self._started = clock()

    def beat(self) -> None:
        """Write it once."""
        now = self._clock()
        used_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        facts = {
            "parts": self._parts,
            "running_s": round((now - self._started).total_seconds()),
            "peak_memory_mb": round(used_kb / 1024),
        }
        self._links.put_status("worker", facts, now)

    def run(self, stop: Event) -> None:
        """Write until ``stop`` is set."""
        while not stop.is_set():
            try:
                self.beat()
            except Exception as error:
                if not store_unavailable(error):
                    raise
                log.warning("heartbeat: the database did not answer", error=str(error))
            stop.wait(EVERY_S)


def _words(name: str) -> str:
    """The name of a part's class as people read it: ``FlushLoop`` is flush."""
    return _WORD.sub(" ", name.removesuffix("Loop")).lower()
