"""The part of the worker that makes reports: asked for, and due by a schedule."""

from __future__ import annotations

import time
from threading import Event, Lock, Thread

import structlog

from data.report_records import ReportRun
from data.session import store_unavailable
from services.reports.desk import ReportDesk

LOOK_EVERY_S = 1.0
RENEW_EVERY_S = 15.0
EXPIRE_EVERY_S = 3600.0
AT_ONCE = 2
log = structlog.get_logger()


class ReportLoop:
    """Looks every second; at most two reports are made at a time."""

    def __init__(self, desk: ReportDesk) -> None:
        self._desk = desk
        self._stop = Event()
        self._lock = Lock()
        self._making: dict[str, tuple[ReportRun, Thread]] = {}
        self._renewed = self._expired = float("-inf")

    def step(self) -> int:
        """Ask for what is due and begin what waits; how many were begun."""
        self._desk.schedules.step()
        self._keep()
        begun = 0
        while len(self._going()) < AT_ONCE:
            run = self._desk.maker.take()
            if run is None:
                break
            self._begin(run)
            begun += 1
        return begun

    def run(self, stop: Event) -> None:
        """Work until ``stop`` is set; what is being made then is given back."""
        while not stop.is_set():
            try:
                self.step()
            except Exception as error:
                # Nothing is lost: what was not claimed is due at the next look.
                if not store_unavailable(error):
                    raise
                log.warning("reports wait for the database")
            stop.wait(LOOK_EVERY_S)
        self._stop.set()
        for _run, thread in self._going():
            thread.join(timeout=5)

    def idle(self) -> bool:
        """Whether nothing is being made."""
        return not self._going()

    def _begin(self, run: ReportRun) -> None:
        thread = Thread(target=self._make, args=(run,), daemon=True)
        with self._lock:
            self._making[run.id] = (run, thread)
        thread.start()

    def _make(self, run: ReportRun) -> None:
        try:
            state = self._desk.maker.make(run, self._stop.is_set)
            log.info("report", run=run.id, template=run.template, state=state)
        except Exception as error:  # noqa: BLE001 - its lease ends, and it is retried
            log.warning("report is made again later", run=run.id, error=str(error))
        finally:
            with self._lock:
                self._making.pop(run.id, None)

    def _going(self) -> list[tuple[ReportRun, Thread]]:
        with self._lock:
            return list(self._making.values())

    def _keep(self) -> None:
        """Keep the leases of what is being made, and remove old files."""
        now = time.monotonic()
        if now - self._renewed >= RENEW_EVERY_S:
            self._renewed = now
            for run, _thread in self._going():
                self._desk.maker.renew(run)
        if now - self._expired >= EXPIRE_EVERY_S:
            self._expired = now
            self._desk.maker.expire()
