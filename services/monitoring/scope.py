"""What a question about a model is asked of: version, reference, segment, windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from data.grids import Grid
from data.model_records import WINDOWS, Model, ModelSpec, ReferenceRecord
from data.model_store import ModelStore
from services import windows
from services.access import Principal, requires
from services.errors import InvalidInput, NotFound
from settings import Settings

MOST_WINDOWS = 400
MOST_KNOWN = 128
"""References kept parsed in a process."""
DEFAULT_FROM, DEFAULT_TO = "now-1y", "now"


@dataclass(frozen=True)
class Scope:
    """Everything a service needs to read a model's counts.

    versions: champion first. record, grid: ``None`` where no reference is set.
    segment: canonical (``g0=north``) or empty; segment_words: as people write it
    (``region=north``); segments: those on offer. edges: rising, UTC; window i is
    ``[edges[i], edges[i + 1])``. grain: the stored buckets the windows are made of.
    """

    model: Model
    spec: ModelSpec
    version: str
    versions: tuple[str, ...]
    record: ReferenceRecord | None
    grid: Grid | None
    segment: str
    segment_words: str
    segments: tuple[str, ...]
    window: str
    grain: str
    edges: tuple[datetime, ...]
    start: datetime
    end: datetime
    now: datetime


class Scopes:
    """Opens scopes: resolves names to what is stored."""

    def __init__(
        self, store: ModelStore, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._known: dict[int, tuple[ReferenceRecord, Grid]] = {}

    def open(
        self,
        caller: Principal,
        name: str,
        *,
        version: str = "",
        window: str = "",
        segment: str = "",
        text_from: str | None = None,
        text_to: str | None = None,
        zone: ZoneInfo,
    ) -> Scope:
        """Resolve what is asked.

        Args:
            caller: needs ``model.read``.
            name: the model.
            version: empty = its champion.
            window: hour, day, week or month; empty = the model's own.
            segment: empty or ``column=value``.
            text_from: begin of the range, by default a year ago.
            text_to: its end, by default now.
            zone: the reader's zone, for bounds without one.

        Raises:
            NotFound: no such model or version.
            InvalidInput: a window, segment or range that cannot be answered.
        """
        requires(caller, "model.read")
        model = self._store.model(name)
        if model is None:
            raise NotFound(f"There is no model {name}.")
        now = self._clock()
        asked = windows.parse(
            text_from or DEFAULT_FROM,
            text_to or DEFAULT_TO,
            now,
            zone,
            self._settings.max_window_days,
        )
        return self.of(model, version, window, segment, (asked.start, asked.end), now)

    def of(
        self,
        model: Model,
        version: str,
        window: str,
        segment: str,
        span: tuple[datetime, datetime],
        now: datetime,
    ) -> Scope:
        """The scope of a known model; see ``open``."""
        spec = model.spec
        versions = self._versions(model)
        version = version or spec.version
        if version not in versions:
            raise NotFound(f"{spec.name} has no version {version}.")
        window = window or spec.window
        if window not in WINDOWS:
            raise InvalidInput(f"window must be one of {', '.join(WINDOWS)}.")
        record, grid = self._reference(model.id, version)
        offered = _offered(spec, grid)
        if segment and segment not in offered:
            raise InvalidInput(
                f"{segment} is no segment of {spec.name}: "
                + (f"choose {', '.join(offered)}." if offered else "it has none.")
            )
        edges = window_edges(window, *span)
        if len(edges) - 1 > MOST_WINDOWS:
            raise InvalidInput(
                f"The range has {len(edges) - 1:,} windows of one {window}; at most "
                f"{MOST_WINDOWS} are answered: ask for a shorter range or longer "
                "windows."
            )
        return Scope(
            model=model,
            spec=spec,
            version=version,
            versions=versions,
            record=record,
            grid=grid,
            segment=offered.get(segment, ""),
            segment_words=segment,
            segments=tuple(offered),
            window=window,
            grain="hour" if window == "hour" else "day",
            edges=edges,
            start=edges[0],
            end=edges[-1],
            now=now,
        )

    def _versions(self, model: Model) -> tuple[str, ...]:
        known = [v.version for v in reversed(self._store.versions(model.id))]
        champion = model.spec.version
        return (champion, *(v for v in known if v != champion))

    def _reference(
        self, model_id: int, version: str
    ) -> tuple[ReferenceRecord | None, Grid | None]:
        """The reference and its bins; immutable, so both are read once."""
        key = self._store.reference_id(model_id, version)
        if key is None:
            return None, None
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            record = self._store.reference_by_id(key)
            self._known[key] = record, Grid.from_json(record.grid)
        return self._known[key]


def _offered(spec: ModelSpec, grid: Grid | None) -> dict[str, str]:
    """Segments as people write them -> canonical."""
    if grid is None:
        return {}
    return {
        f"{column}={value}": f"g{place}={value}"
        for place, column in enumerate(spec.segments)
        for value in grid.segments.get(f"g{place}", ())
    }


def window_edges(window: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """UTC calendar windows that cover ``[start, end)``: their edges, rising."""
    edge = window_start(window, start)
    edges = [edge]
    while edges[-1] < end and len(edges) <= 20_000:
        edges.append(window_end(window, edges[-1]))
    return tuple(edges)


def window_start(window: str, moment: datetime) -> datetime:
    """The start of the window that holds a moment."""
    moment = moment.astimezone(UTC)
    if window == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if window == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if window == "month" else day


def window_end(window: str, start: datetime) -> datetime:
    """The end of the window that begins at ``start``."""
    if window == "month":
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return (
        start
        + {
            "hour": timedelta(hours=1),
            "day": timedelta(days=1),
            "week": timedelta(days=7),
        }[window]
    )
