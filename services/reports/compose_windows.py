"""How wide the windows of a model are in a report on a long range."""

from __future__ import annotations

from datetime import datetime

from data.model_records import WINDOWS, ModelSpec
from services.monitoring.scope import MOST_WINDOWS, window_edges


def window_of(own: str, start: datetime, end: datetime) -> str:
    """The model's own windows, or the next wider ones that are not too many."""
    for window in WINDOWS[WINDOWS.index(own) :]:
        if len(window_edges(window, start, end)) - 1 <= MOST_WINDOWS:
            return window
    return WINDOWS[-1]


def coarse_note(spec: ModelSpec, window: str) -> str:
    """What is said where windows are wider than the model's own."""
    if window == spec.window:
        return ""
    return (
        f"{spec.name} is judged by the {spec.window}; the range has more than "
        f"{MOST_WINDOWS} of these, so that each of its windows here is a {window}."
    )
