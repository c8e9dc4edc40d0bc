"""The part of the worker that judges alert rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event

import structlog

from data.session import store_unavailable
from services.alert_evaluation import Evaluation
from services.alert_rulebook import Rules

LOOK_EVERY_S = 1.0
log = structlog.get_logger()


class AlertLoop:
    """Looks every second, in this process only: the worker is one."""

    def __init__(
        self, rules: Rules, evaluation: Evaluation, clock: Callable[[], datetime]
    ) -> None:
        self._rules = rules
        self._evaluation = evaluation
        self._clock = clock

    def step(self) -> int:
        """Look once; how many alerts changed."""
        return self._evaluation.step(self._clock())

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set."""
        seeded = False
        while not stop.is_set():
            try:
                if not seeded:
                    self._rules.seed()
                    seeded = True
                changed = self.step()
            except Exception as error:
                # Nothing is lost: the next look begins from what is stored.
                if not store_unavailable(error):
                    raise
                log.warning("alerts wait for the database")
                changed = 0
            if changed:
                log.info("alerts", changed=changed)
            stop.wait(LOOK_EVERY_S)
