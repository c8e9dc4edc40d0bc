"""The worker process: the flusher and whatever else runs beside it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from threading import Event, Thread
from types import FrameType
from typing import Protocol

import structlog

from workers.flusher import FlushLoop

log = structlog.get_logger()
Task = Callable[[Event], None]


class Part(Protocol):
    """Something that works until it is told to stop."""

    def run(self, stop: Event, /) -> None:
        """Work until ``stop`` is set."""


def run(flush_loop: FlushLoop, others: Sequence[Part]) -> int:
    """Work until SIGTERM or SIGINT; the exit status.

    Args:
        flush_loop: the lake's one writer.
        others: what else this worker does.

    A task that fails ends the whole process: the one who started it sees that, and
    everything acknowledged waits in the operational database.
    """
    stop, failed = Event(), Event()
    _stop_on_signals(stop)
    tasks = [flush_loop.run, *(part.run for part in others)]
    threads = [
        Thread(target=_guarded, args=(task, stop, failed), daemon=True)
        for task in tasks
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(timeout=8)
    flush_loop.close()
    return 1 if failed.is_set() else 0


def _guarded(task: Task, stop: Event, failed: Event) -> None:
    try:
        task(stop)
    except Exception:
        failed.set()
        log.exception("worker task failed")
        raise
    finally:
        stop.set()


def _stop_on_signals(stop: Event) -> None:
    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
