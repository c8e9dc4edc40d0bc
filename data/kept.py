"""The newest answers of one snapshot of the lake, kept for the next question."""

from __future__ import annotations

from threading import Lock

import pyarrow as pa

MOST = 6
"""Answers a process keeps: a year of 25 features by day is some 8 MB."""


class Kept:
    """A page is drawn in parts, and drawn again for another measure or feature, out of
    the same rows. A new snapshot forgets all of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._snapshot: object = None
        self._answers: dict[tuple[object, ...], pa.Table] = {}

    def get(self, asked: tuple[object, ...], snapshot: object) -> pa.Table | None:
        """The answer to the same question at the same snapshot, if it is kept."""
        with self._lock:
            return self._answers.get(asked) if snapshot == self._snapshot else None

    def put(
        self, asked: tuple[object, ...], snapshot: object, answer: pa.Table
    ) -> None:
        """Keep an answer; the oldest one goes where there are too many."""
        with self._lock:
            if snapshot != self._snapshot:
                self._snapshot, self._answers = snapshot, {}
            self._answers[asked] = answer
            while len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
