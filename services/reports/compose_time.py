"""Calendar buckets of a report: local days, weeks or months, by the range's length."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

from services.units import Preferences
from services.windows import local_days
from services.wording import local_date

MOST_DAYS = 62
MOST_WEEKS = 62
WEEK_DAYS = 7


def bucket_edges(
    start: datetime, end: datetime, prefs: Preferences
) -> tuple[str, list[datetime]]:
    """``day``, ``week`` or ``month``, and the edges: the first and last are cut.

    Days are those of the reader's zone, of 23, 24 or 25 hours.
    """
    days = local_days(start, end, prefs.zone)
    length = len(days) - 1
    if length <= MOST_DAYS:
        name, inner = "day", days
    elif length <= MOST_WEEKS * WEEK_DAYS:
        name = "week"
        inner = [d for d in days if d.astimezone(prefs.zone).weekday() == 0]
    else:
        name = "month"
        inner = [d for d in days if d.astimezone(prefs.zone).day == 1]
    return name, [start, *(edge for edge in inner if start < edge < end), end]


def place_of(moment: datetime, edges: Sequence[datetime]) -> int:
    """The place of the bucket that holds a moment of the range."""
    return min(bisect_right(edges, moment), len(edges) - 1) - 1


def names_of(name: str, edges: Sequence[datetime], prefs: Preferences) -> list[str]:
    """What each bucket is called: its first day, or its month."""
    if name == "month":
        return [f"{e.astimezone(prefs.zone):%b %Y}" for e in edges[:-1]]
    return [local_date(e, prefs) for e in edges[:-1]]
