"""A live tick of the Operations tab: size of the answer and server time."""

from __future__ import annotations

from benchmarks.result import Result


def run() -> list[Result]:
    """Filled in once the tab's tick is known."""
    raise NotImplementedError
