"""The live half of the demo's models: each day, when it is over."""

from __future__ import annotations

from threading import Event

import structlog

from services.access import SYSTEM
from services.demo_models import DemoModels
from services.errors import ServiceError

EVERY_S = 300.0
log = structlog.get_logger()


class DemoModelsLoop:
    """Logs what became known since the last look, at the start and every 5 minutes."""

    def __init__(self, models: DemoModels) -> None:
        self._models = models

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set."""
        while not stop.is_set():
            self.step()
            stop.wait(EVERY_S)

    def step(self) -> int:
        """Log once; how many rows were taken.

        A model that somebody changed may refuse its rows: that ends no process.
        """
        try:
            taken = self._models.advance(SYSTEM)
        except ServiceError as error:
            log.warning("demo models not logged", reason=str(error))
            return 0
        if taken:
            log.info("demo models logged", rows=taken)
        return taken
