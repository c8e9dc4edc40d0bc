"""The flusher: the only process part that writes the lake."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import structlog

from data.device_store import DeviceStore
from data.flush import STAGED_ROWS_AT_ONCE, Flusher
from data.hot_store import HotStore, to_us
from data.inference_flush import InferenceFlusher
from data.model_store import ModelStore
from services.metrics import gap_s
from services.monitoring.loss_estimates import LossEstimates
from settings import Settings

LOOK_EVERY_S = 1.0
MAINTAIN_EVERY = timedelta(minutes=15)
STRAYS_KEPT = timedelta(days=7)
"""Longer than any delivery takes from its first file to its receipt."""
log = structlog.get_logger()


class FlushLoop:
    """Flushes when enough readings wait, or the oldest has waited long enough."""

    def __init__(
        self,
        settings: Settings,
        hot: HotStore,
        devices: DeviceStore,
        models: ModelStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._hot = hot
        self._devices = devices
        self._models = models
        self._clock = clock
        self._flusher = Flusher(settings, hot)
        self._inferences = InferenceFlusher(
            settings, models, self._flusher.connection, LossEstimates().of
        )
        self._maintained = clock()

    def close(self) -> None:
        """Give the lake back."""
        self._flusher.close()

    def step(self) -> int:
        """Flush one portion of what is due; how many rows went to the lake."""
        return self._readings() + self._model_rows()

    def _model_rows(self) -> int:
        if not self._inferences.pending():
            return 0
        moved = self._inferences.flush()
        log.info(
            "counted", rows=moved.rows, duplicates=moved.duplicates, days=moved.days
        )
        return moved.rows + moved.duplicates

    def _readings(self) -> int:
        pending = self._flusher.pending()
        oldest = pending.oldest_received_us
        waited = timedelta(seconds=self._settings.flush_age_s)
        due = (
            pending.files > 0
            or pending.rows >= self._settings.flush_rows
            or (oldest is not None and to_us(self._clock() - waited) >= oldest)
        )
        return self._flush() if due else 0

    def follow(self, done: Event) -> None:
        """Flush large portions beside whoever writes bulk files, until done."""
        while not done.is_set():
            if self._flusher.pending().file_rows >= STAGED_ROWS_AT_ONCE:
                self._flush()
            else:
                done.wait(LOOK_EVERY_S / 5)

    def drain(self, progress: Callable[[int], None] | None = None) -> int:
        """Flush everything that waits now; how many rows went to the lake."""
        moved = 0
        while waiting := self._model_rows():
            moved += waiting
            if progress is not None:
                progress(moved)
        while (pending := self._flusher.pending()).rows or pending.files:
            moved += self._flush()
            if progress is not None:
                progress(moved)
        return moved

    def maintain(self) -> None:
        """Merge small files and drop what no snapshot needs, now and then."""
        now = self._clock()
        if now - self._maintained >= MAINTAIN_EVERY:
            self._maintained = now
            self._inferences.retain(now, self._settings.inference_retention_days)
            self._flusher.maintain(now)
            self._forget_strays()
            log.info("lake maintained")

    def _forget_strays(self) -> None:
        """Delete staged files that a sender left who was killed before recording."""
        # By name, which nobody else has: a path may be spelt in two ways.
        known = {Path(f.path).name for f in self._hot.staged(0)}
        known |= {Path(f.path).name for f in self._models.staged(0)}
        before = time.time() - STRAYS_KEPT.total_seconds()
        for file in self._settings.staging_dir.glob("*.parquet"):
            if file.name not in known and file.stat().st_mtime < before:
                file.unlink(missing_ok=True)

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set."""
        while not stop.is_set():
            if self.step() == 0:
                self.maintain()
                stop.wait(LOOK_EVERY_S)

    def _flush(self) -> int:
        gaps = {i: gap_s(s) for i, s in self._devices.intervals().items()}
        report = self._flusher.flush(self._clock(), gaps)
        log.info(
            "flushed",
            rows=report.rows,
            duplicates=report.duplicates,
            buckets=report.buckets,
        )
        return report.rows
