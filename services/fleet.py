"""The fleet: which heater needs somebody now, worst first."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import perf_counter

from data.device_store import DeviceStore
from data.engine import QueryTimeout
from services import fleet_rows
from services.access import Principal, requires
from services.errors import Busy, InvalidInput
from services.fleet_rows import FleetRow
from services.health import Health
from services.metrics import Metrics

LOG = logging.getLogger(__name__)
PAGE = 50
STATES: Mapping[str, Callable[[FleetRow], bool]] = {
    "all": lambda row: True,  # noqa: ARG005
    "attention": lambda row: row.attention,
    "silent": lambda row: row.active and row.connectivity != "online",
    "heating": lambda row: row.active and row.heating == "heating",
    "flagged": lambda row: row.flagged,
    "simulated": lambda row: row.simulated,
    "inactive": lambda row: not row.active,
}
"""The counts at the top of the page, which are filters as well."""
SORTS: tuple[str, ...] = (
    "worst",
    "name",
    "place",
    "seen",
    "temperature",
    "target",
    "mode",
    "health",
)
GROUPS: tuple[str, ...] = ("none", "site")
HELD_PER_MAKING = 10
"""A picture of the fleet is held ten times as long as it took to make: a small
fleet is always fresh, a large one never keeps the machine busy with itself."""
LONGEST_HELD = timedelta(seconds=30)
SLOW = timedelta(seconds=0.5)
"""A picture that takes longer than this is renewed behind the reader's back ..."""
OLDEST_SHOWN = timedelta(minutes=5)
"""... while the last one is shown with its age, unless it is older than this."""
WARM_EVERY_S = 240.0
"""Shorter than ``OLDEST_SHOWN``: a warm process always has a picture to show."""


@dataclass(frozen=True)
class FleetQuery:
    """What to show of the fleet.

    state: one of ``STATES``. text: words that must all occur. make, type, site:
    exact values, ``""`` for any. descending turns ``sort`` round. group: one of
    ``GROUPS``. page counts from 1.
    """

    state: str = "all"
    text: str = ""
    make: str = ""
    type: str = ""
    site: str = ""
    sort: str = "worst"
    descending: bool = False
    group: str = "none"
    page: int = 1
    page_size: int = PAGE

    def __post_init__(self) -> None:
        for name, allowed in (("state", STATES), ("sort", SORTS), ("group", GROUPS)):
            if getattr(self, name) not in allowed:
                raise InvalidInput(f"{name} must be one of {', '.join(allowed)}.")
        if self.page < 1 or self.page_size < 1:
            raise InvalidInput("page must be 1 or more.")


@dataclass(frozen=True)
class SiteView:
    """One site among the heaters chosen; ``name`` is ``None`` where none is stated."""

    name: str | None
    heaters: int
    attention: int
    silent: int
    heating: int


@dataclass(frozen=True)
class FleetView:
    """One page of the fleet.

    as_of: when connectivity, health and newest values were looked up. size and
    counts: heaters, and those in each state, of the whole fleet. found: heaters that
    pass the filters. sites: those of the page when grouped, by name of the building.
    """

    now: datetime
    as_of: datetime
    query: FleetQuery
    size: int
    counts: Mapping[str, int]
    found: int
    pages: int
    rows: tuple[FleetRow, ...]
    sites: Mapping[str | None, SiteView]
    makes: tuple[str, ...]
    types: tuple[str, ...]
    buildings: tuple[str, ...]


@dataclass(frozen=True)
class _Picture:
    """The whole fleet at one moment, without what only a page shows."""

    made_at: datetime
    took: timedelta
    version: tuple[int, int]
    rows: tuple[FleetRow, ...]
    words: Mapping[str, str]
    counts: Mapping[str, int]


class Fleet:
    """Answers questions about all heaters together."""

    def __init__(
        self,
        devices: DeviceStore,
        metrics: Metrics,
        health: Health,
        clock: Callable[[], datetime],
    ) -> None:
        self._devices = devices
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._lock = Lock()
        self._held: _Picture | None = None

    def page(self, caller: Principal, query: FleetQuery) -> FleetView:
        """The heaters that pass the filters, one page of them.

        A page past the last one is the last one.
        """
        requires(caller, "fleet.read")
        picture = self._picture()
        found = self._found(picture, query)
        pages = max(-(-len(found) // query.page_size), 1)
        query = replace(query, page=min(query.page, pages))
        first = (query.page - 1) * query.page_size
        rows = self._completed(found[first : first + query.page_size])
        sites: Mapping[str | None, SiteView] = {}
        if query.group == "site":
            shown = {row.building for row in rows}
            sites = {n: s for n, s in _sites(found).items() if n in shown}
        return FleetView(
            now=self._clock(),
            as_of=picture.made_at,
            query=query,
            size=len(picture.rows),
            counts=picture.counts,
            found=len(found),
            pages=pages,
            rows=rows,
            sites=sites,
            makes=_distinct([row.make for row in picture.rows]),
            types=_distinct([row.type for row in picture.rows]),
            buildings=_distinct([row.building for row in picture.rows]),
        )

    def found(self, caller: Principal, query: FleetQuery) -> tuple[FleetRow, ...]:
        """Every heater that passes the filters, without what only a page shows."""
        requires(caller, "fleet.read")
        return tuple(self._found(self._picture(), query))

    def _found(self, picture: _Picture, query: FleetQuery) -> list[FleetRow]:
        wanted = query.text.casefold().split()
        exact = (("make", query.make), ("type", query.type), ("building", query.site))
        chosen = [(name, value) for name, value in exact if value]
        in_state = STATES[query.state]
        found = [
            row
            for row in picture.rows
            if in_state(row)
            and all(getattr(row, name) == value for name, value in chosen)
            and all(word in picture.words[row.device_id] for word in wanted)
        ]
        found = fleet_rows.ordered(found, query.sort, query.descending)
        if query.group == "site":
            sites = _sites(found)
            found.sort(key=lambda row: _site_key(sites[row.building]))
        return found

    def keep_warm(self, done: Event) -> Thread:
        """Keep a picture ready until ``done`` is set, so that nobody waits for it.

        A web process calls this once, after its fork.
        """

        def renewing() -> None:
            while not done.is_set():
                with self._lock:
                    self._renew()
                done.wait(WARM_EVERY_S)

        thread = Thread(target=renewing, name="fleet", daemon=True)
        thread.start()
        return thread

    def _picture(self) -> _Picture:
        version, now = self._devices.version(), self._clock()
        held = self._held
        if held is not None and held.version == version:
            age = now - held.made_at
            if timedelta() <= age < min(held.took * HELD_PER_MAKING, LONGEST_HELD):
                return held
            if held.took >= SLOW and timedelta() <= age < OLDEST_SHOWN:
                self._renew_behind()
                return held
        with self._lock:
            current = self._held
            if current is None or current is held:  # nobody has renewed it meanwhile
                current = self._held = self._made(version, now)
            return current

    def _renew_behind(self) -> None:
        def renewing() -> None:
            try:
                self._renew()
            finally:
                self._lock.release()

        if self._lock.acquire(blocking=False):
            Thread(target=renewing, name="fleet", daemon=True).start()

    def _renew(self) -> None:
        try:
            self._held = self._made(self._devices.version(), self._clock())
        except Exception:
            # The next reader makes it in the foreground and is told what is wrong.
            LOG.exception("the picture of the fleet was not renewed")

    def _made(self, version: tuple[int, int], now: datetime) -> _Picture:
        started = perf_counter()
        devices = self._devices.all()
        latest = self._metrics.latest()
        try:
            health = self._health.of(devices, latest)
        except QueryTimeout as error:
            raise Busy("The fleet took too long to look at. Try again.") from error
        rows = tuple(
            fleet_rows.row_of(d, latest.get(d.id), health[d.id], now) for d in devices
        )
        words = {d.id: fleet_rows.words_of(d) for d in devices}
        counts = {s: sum(map(has, rows)) for s, has in STATES.items()}
        took = timedelta(seconds=perf_counter() - started)
        return _Picture(now, took, version, rows, words, counts)

    def _completed(self, rows: Sequence[FleetRow]) -> tuple[FleetRow, ...]:
        """The rows of one page with what takes a query of the lake."""
        devices = self._devices.some([row.device_id for row in rows])
        days = fleet_rows.last_days(self._metrics, devices, self._clock())
        return tuple(
            replace(row, energy_kwh=day.energy_kwh, hourly_c=day.hourly_c)
            for row in rows
            for day in [days[row.device_id]]
        )


def _distinct(values: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(sorted({v for v in values if v}, key=str.casefold))


def _sites(rows: Sequence[FleetRow]) -> dict[str | None, SiteView]:
    heaters = Counter(row.building for row in rows)
    states = {
        state: Counter(row.building for row in rows if STATES[state](row))
        for state in ("attention", "silent", "heating")
    }
    return {
        name: SiteView(name, count, *(states[state][name] for state in states))
        for name, count in heaters.items()
    }


def _site_key(site: SiteView) -> tuple[int, bool, str]:
    """Sites with more heaters in need come first, heaters without a site last."""
    return -site.attention, site.name is None, (site.name or "").casefold()
