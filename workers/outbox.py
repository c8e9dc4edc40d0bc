"""The part of the worker that sends what waits in the outbox."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event, Lock, Thread

import structlog

from data.outbox_store import OutboxStore
from data.report_records import Parcel, Try
from data.session import store_unavailable
from services.notify_sender import Sender
from services.outgoing import Answer

LOOK_EVERY_S = 1.0
AT_ONCE = {"mail": 2, "webhook": 6}
"""Most deliveries under way: a slow mail server leaves webhooks alone."""
LEASE = timedelta(seconds=120)
"""Longer than any delivery may take."""
FIRST_AGAIN_S = 10.0
LONGEST_AGAIN_S = 3_600.0
JITTER = 0.2
MOST_TRIES = 10
MOST_TOGETHER = 100
STOP_WITHIN_S = 6.0
log = structlog.get_logger()


def again_after(tries: int, jitter: float) -> timedelta | None:
    """How long to wait after so many attempts; ``None`` = it is given up.

    ``jitter`` from -1 to 1 spreads those that failed together.
    """
    if tries >= MOST_TRIES:
        return None
    wait_s = min(FIRST_AGAIN_S * 2 ** (tries - 1), LONGEST_AGAIN_S)
    return timedelta(seconds=wait_s * (1 + JITTER * jitter))


class OutboxLoop:
    """Starts a thread for each delivery, at most one for a target at a time.

    A delivery is claimed with a lease before, and written down after it was sent:
    whoever is killed between the two leaves it to be sent again under the same id.
    """

    def __init__(
        self, outbox: OutboxStore, sender: Sender, clock: Callable[[], datetime]
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._lock = Lock()
        self._ended = Event()
        self._under_way: dict[str, set[str]] = {kind: set() for kind in AT_ONCE}

    def step(self) -> int:
        """Start what is due and has room; how many deliveries."""
        return sum(self._start(kind, most) for kind, most in AT_ONCE.items())

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; what is under way gets a moment to end."""
        while not stop.is_set():
            self._ended.clear()
            try:
                self.step()
            except Exception as error:
                # Nothing is lost: what was not claimed is due at the next look.
                if not store_unavailable(error):
                    raise
                log.warning("the outbox waits for the database")
            # Whoever has just been told may have more to hear.
            self._ended.wait(LOOK_EVERY_S)
        self.wait(STOP_WITHIN_S)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is under way; false when the time was not enough."""
        deadline = time.monotonic() + seconds
        while self._busy():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def _busy(self) -> bool:
        with self._lock:
            return any(self._under_way.values())

    def _start(self, kind: str, most: int) -> int:
        with self._lock:
            busy = set(self._under_way[kind])
        room = most - len(busy)
        if room <= 0:
            return 0
        due = self._outbox.due(self._clock(), kind, busy, room)
        for parcel in due:
            with self._lock:
                self._under_way[kind].add(parcel.target)
            Thread(target=self._deliver, args=(parcel,), daemon=True).start()
        return len(due)

    def _deliver(self, parcel: Parcel) -> None:
        try:
            claimed = self._claimed(parcel)
            if claimed:
                self._send(claimed)
        except Exception as error:
            # The lease ends by itself and another attempt is made.
            if store_unavailable(error):
                log.warning("a delivery waits for the database")
            else:
                log.exception("a delivery failed", parcel=parcel.id)
        finally:
            with self._lock:
                self._under_way[parcel.kind].discard(parcel.target)
            self._ended.set()

    def _claimed(self, parcel: Parcel) -> list[Parcel]:
        now = self._clock()
        together = [parcel]
        if parcel.body.get("digest"):
            mates = self._outbox.mates(parcel, now, MOST_TOGETHER)
            together = [mate for mate in mates if mate.body.get("digest")]
        return self._outbox.claim(together, now, now + LEASE)

    def _send(self, parcels: Sequence[Parcel]) -> None:
        began, at = time.monotonic(), self._clock()
        try:
            answer = self._sender.send(parcels)
        except Exception as error:
            log.exception("a delivery could not be made", parcel=parcels[0].id)
            answer = Answer(ok=False, words=f"our fault: {type(error).__name__}")
        took_ms = round((time.monotonic() - began) * 1_000)
        attempt = Try(parcels[0].id, at, answer.ok, answer.words, took_ms)
        if answer.ok:
            self._outbox.done(parcels, attempt)
            return
        wait = None
        if not answer.permanent:
            most = max(parcel.tries for parcel in parcels)
            wait = again_after(most, random.uniform(-1, 1))  # noqa: S311 - no secret
        again_at = None if wait is None else self._clock() + wait
        log.warning("not delivered", parcel=parcels[0].id, answer=answer.words)
        self._outbox.failed(parcels, attempt, again_at)
