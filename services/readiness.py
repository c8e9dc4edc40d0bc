"""Whether this process can answer questions now: for load balancers, not for people.

It needs no caller, so it says nothing but which part works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

import structlog

from data.hot_store import HotStore, from_us
from data.lake import Lake

OK, FAILED, BEHIND, UNKNOWN = "ok", "failed", "behind", "unknown"
HELD = timedelta(seconds=2)
"""An answer is held so long: nobody can keep the stores busy by asking."""
LAG_LEAST_S = 300.0
LAG_FLUSHES = 10
"""The flusher is behind when a reading waits for ten times its flush age."""

Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ReadinessView:
    """``ok``, ``failed``, ``behind`` or ``unknown`` for each part.

    A flusher that is behind makes no answer wrong, since hot readings are read
    as well: the process is ready, and degraded.
    """

    database: str
    lake: str
    flusher: str

    @property
    def ready(self) -> bool:
        """Whether both stores answer."""
        return self.database == OK and self.lake == OK

    @property
    def status(self) -> str:
        """``ready``, ``degraded`` or ``not ready``."""
        if not self.ready:
            return "not ready"
        return "ready" if self.flusher == OK else "degraded"


class Readiness:
    """Asks the operational database and the lake something small."""

    def __init__(
        self,
        hot: HotStore,
        lake: Lake,
        flush_age_s: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._hot = hot
        self._lake = lake
        self._lag = timedelta(seconds=max(LAG_LEAST_S, LAG_FLUSHES * flush_age_s))
        self._clock = clock
        self._lock = Lock()
        self._held: tuple[datetime, ReadinessView] | None = None

    def view(self) -> ReadinessView:
        """The state of the stores, at most two seconds old."""
        with self._lock:
            now = self._clock()
            if self._held is None or now - self._held[0] > HELD:
                self._held = now, self._asked(now)
            return self._held[1]

    def _asked(self, now: datetime) -> ReadinessView:
        mark = _answer("lake", self._lake.watermark)
        above = -1 if mark is None else mark
        pending = _answer("database", lambda: self._hot.pending(above))
        flusher = UNKNOWN
        if mark is not None and pending is not None:
            oldest = pending.oldest_received_us
            late = oldest is not None and now - from_us(oldest) > self._lag
            flusher = BEHIND if late else OK
        return ReadinessView(
            database=FAILED if pending is None else OK,
            lake=FAILED if mark is None else OK,
            flusher=flusher,
        )


def _answer(part: str, ask: Callable[[], Answer]) -> Answer | None:
    """The answer of a store, or ``None``: any failure at all means not ready."""
    try:
        return ask()
    except Exception as error:  # any failure is a failed part
        log.warning("store does not answer", part=part, exc_info=error)
        return None
