"""How the installation itself is: its worker, what waits, what was refused."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from data.hot_store import HotStore, from_us
from data.lake import Lake
from data.link_store import LinkStore
from data.migrate import head
from data.talk_records import RejectedMessage
from services.access import Principal, requires

PACKAGES = ("dash", "flask", "duckdb", "sqlalchemy", "pyarrow", "pandas")
REJECTS_SHOWN = 50


@dataclass(frozen=True)
class PartView:
    """What a part of the worker last said of itself, and how long ago."""

    name: str
    at: datetime
    age_s: float
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class SystemView:
    """The installation now.

    ``hot_rows`` are readings that the lake does not have yet, ``waiting_s`` the age of
    the oldest of them; staged files wait in the same way.
    """

    now: datetime
    parts: tuple[PartView, ...]
    hot_rows: int
    waiting_s: float
    staged_files: int
    staged_rows: int
    rejects: tuple[RejectedMessage, ...]
    versions: Mapping[str, str]


class System:
    """Looks at the stores and at what the worker says of itself."""

    def __init__(
        self,
        links: LinkStore,
        hot: HotStore,
        lake: Lake,
        clock: Callable[[], datetime],
    ) -> None:
        self._links = links
        self._hot = hot
        self._lake = lake
        self._clock = clock

    def view(self, caller: Principal, *, rejects: int = REJECTS_SHOWN) -> SystemView:
        """The installation as it is now; needs ``system.read``."""
        requires(caller, "system.read")
        now = self._clock()
        pending = self._hot.pending(self._lake.watermark())
        oldest = pending.oldest_received_us
        return SystemView(
            now=now,
            parts=tuple(
                PartView(name, at, max(0.0, (now - at).total_seconds()), facts)
                for name, (at, facts) in sorted(self._links.statuses().items())
            ),
            hot_rows=pending.rows,
            waiting_s=max(0.0, (now - from_us(oldest)).total_seconds())
            if oldest is not None
            else 0.0,
            staged_files=pending.files,
            staged_rows=pending.file_rows,
            rejects=tuple(self._links.rejects(rejects)) if rejects else (),
            versions=versions(),
        )


@cache
def versions() -> dict[str, str]:
    """What runs here."""
    found = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "schema": head(), **found}
