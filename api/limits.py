"""How many requests one signed-in caller may send in a minute.

Sign-in attempts are counted in the database, see ``services/attempts.py``. These
limits only keep one caller from crowding out the others, so each web process
counts for itself.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from services.errors import TooMany
from settings import Settings


class Limits:
    """Counts requests over the last minute."""

    def __init__(self, settings: Settings) -> None:
        self._counter = MovingWindowRateLimiter(MemoryStorage())
        self._items = {
            "callback": RateLimitItemPerMinute(settings.callbacks_per_minute),
            "api": RateLimitItemPerMinute(settings.api_per_minute),
        }

    def count(self, kind: str, who: str) -> None:
        """Count one request of ``who``.

        Raises:
            TooMany: it is over the limit of its kind.
        """
        item = self._items[kind]
        if self._counter.hit(item, kind, who):
            return
        free_at = self._counter.get_window_stats(item, kind, who).reset_time
        wait_s = max(1, math.ceil(free_at - time.time()))
        raise TooMany(
            f"More than {item.amount} requests in a minute. Try again in {wait_s} s.",
            retry_after_s=wait_s,
        )
