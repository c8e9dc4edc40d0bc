"""The part of the worker that asks for what is due: plan entries and bulk stages."""

from __future__ import annotations

from threading import Event

import structlog

from data.session import store_unavailable
from services.bulk import Bulk
from services.plans import Plans

LOOK_EVERY_S = 1.0
log = structlog.get_logger()


class PlansLoop:
    """Looks every second, in this process only: the worker is one."""

    def __init__(self, plans: Plans, bulk: Bulk) -> None:
        self._plans = plans
        self._bulk = bulk

    def step(self) -> int:
        """Ask for what is due now; how many plans and heaters of bulk commands."""
        return self._plans.step() + self._bulk.step()

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set."""
        while not stop.is_set():
            try:
                asked = self.step()
            except Exception as error:
                # Nothing is lost: what was not claimed is due at the next look.
                if not store_unavailable(error):
                    raise
                log.warning("plans wait for the database")
                asked = 0
            if asked:
                log.info("asked", wishes=asked)
            else:
                stop.wait(LOOK_EVERY_S)
