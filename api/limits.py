"""How many requests one signed-in caller may send in a minute.

Sign-in attempts are counted in the database, see ``services/attempts.py``. These
limits only keep one caller from crowding out the others, so each web process
counts for itself, unless ``IOTSPHERE_CACHE_URL`` gives them a common place.
"""

from __future__ import annotations

import logging
import math
import time

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from services.errors import TooMany
from settings import Settings

LOG = logging.getLogger(__name__)


class Limits:
    """Counts requests over the last minute."""

    def __init__(self, settings: Settings) -> None:
        address = settings.cache_url or "memory://"
        storage = storage_from_string(address, wrap_exceptions=True)
        self._counter = MovingWindowRateLimiter(storage)
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
        try:
            if self._counter.hit(item, kind, who):
                return
            free_at = self._counter.get_window_stats(item, kind, who).reset_time
        except StorageError:
            # A lost counter must not stop the work of everybody.
            LOG.warning("requests are not counted: the counter does not answer")
            return
        wait_s = max(1, math.ceil(free_at - time.time()))
        raise TooMany(
            f"More than {item.amount} requests in a minute. Try again in {wait_s} s.",
            retry_after_s=wait_s,
        )
