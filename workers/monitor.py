"""The part of the worker that judges monitored models."""

from __future__ import annotations

from threading import Event

import structlog

from services.monitoring.judging import Judging

LOOK_EVERY_S = 2.0
REST_S = 0.5
"""Between two windows that take long: ingest and pages come first."""
log = structlog.get_logger()


class MonitorLoop:
    """Judges what has changed first; then, one window at a time, what takes long."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set."""
        while not stop.is_set():
            judged = self._judging.step()
            if judged:
                log.info("judged", windows=judged)
            else:
                stop.wait(REST_S if self._judging.raw_step() else LOOK_EVERY_S)
