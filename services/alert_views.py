"""What the Alerts tab, the badge and the REST interface are told of alerts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from data.alert_log_store import ALERT_STATES, SORTS, AlertFilter
from data.alert_records import SEVERITIES, SOURCES, Alert, AlertEvent
from services.errors import InvalidInput

PAGE = 50
MOST_TEXT = 120
AGES: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
"""How long ago an alert was raised at most."""


MODEL_FACTS: tuple[tuple[str, str], ...] = (
    ("sentence", "Verdict of the model"),
    ("version", "Model version"),
    ("data_version", "Data version"),
    ("reference", "Reference"),
)


@dataclass(frozen=True)
class AlertsQuery:
    """Which alerts to show, and in which order.

    state: one of ``ALERT_STATES``; open, active and (un)acknowledged leave out what is
    shelved. source, severity, model, device, metric, rule: exact values, ``""`` for
    any. owner: ``me``, ``nobody`` or a user's name. age: a key of ``AGES``. text: words
    that must all occur. sort: one of ``SORTS``. page counts from 1.
    """

    state: str = "open"
    source: str = ""
    severity: str = ""
    model: str = ""
    device: str = ""
    metric: str = ""
    rule: str = ""
    owner: str = ""
    age: str = ""
    text: str = ""
    sort: str = "worst"
    descending: bool = False
    page: int = 1
    page_size: int = PAGE

    def __post_init__(self) -> None:
        allowed: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("state", ALERT_STATES),
            ("sort", SORTS),
            ("source", ("", *SOURCES)),
            ("severity", ("", *SEVERITIES)),
            ("age", ("", *AGES)),
        )
        for name, words in allowed:
            if getattr(self, name) not in words:
                known = ", ".join(filter(None, words))
                raise InvalidInput(f"{name} must be one of {known}.")
        if self.page < 1 or self.page_size < 1:
            raise InvalidInput("page must be 1 or more.")
        if self.model and self.device:
            raise InvalidInput("An alert is about a model or about a device, not both.")

    @property
    def narrowed(self) -> bool:
        """Whether anything but state, order and page is chosen."""
        plain = AlertsQuery(
            state=self.state, sort=self.sort, descending=self.descending,
            page=self.page, page_size=self.page_size,
        )  # fmt: skip
        return self != plain

    def filter(self, username: str, now: datetime) -> AlertFilter:
        """The same for the store, in which nobody is called me."""
        source = self.source
        if self.model or self.device:
            source = "model" if self.model else "device"
        return AlertFilter(
            state=self.state,
            # A device's alert about a model does not exist: nothing passes.
            source=source if self.source in {"", source} else "none",
            severity=self.severity,
            subject=self.model or self.device,
            metric=self.metric,
            rule_key=self.rule,
            owner=username if self.owner == "me" else self.owner,
            words=tuple(self.text[:MOST_TEXT].split()),
            raised_from=now - AGES[self.age] if self.age else None,
        )


@dataclass(frozen=True)
class AlertsView:
    """One page of alerts.

    size: alerts there ever were. counts: all alerts by ``ALERT_STATES``. severities:
    alerts of the query's state by severity. found: alerts that pass the filters.
    metrics, owners: what alerts have. people: users an alert can be given to.
    """

    now: datetime
    query: AlertsQuery
    size: int
    counts: Mapping[str, int]
    severities: Mapping[str, int]
    found: int
    pages: int
    rows: tuple[Alert, ...]
    metrics: tuple[str, ...]
    owners: tuple[str, ...]
    may_write: bool


@dataclass(frozen=True)
class AlertDetailView:
    """One alert whole.

    events: its history, newest first. siblings: other alerts of the same rule and
    subject, newest first, and ``sibling_events`` what happened to them.
    """

    now: datetime
    alert: Alert
    events: tuple[AlertEvent, ...]
    siblings: tuple[Alert, ...]
    sibling_events: tuple[AlertEvent, ...]
    evidence: Evidence
    may_write: bool


@dataclass(frozen=True)
class Badge:
    """Open alerts that nobody has acknowledged, by severity."""

    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def urgent(self) -> int:
        """Those that are critical or high."""
        return self.counts["critical"] + self.counts["high"]


@dataclass(frozen=True)
class Result:
    """What became of one alert of a bulk action; ``error`` empty = done."""

    id: int
    error: str = ""


@dataclass(frozen=True)
class Evidence:
    """What the rule saw when it fired; empty where it kept nothing.

    points: times and values, ``None`` for a gap. operator: ``>``, ``>=``, ``<``,
    ``<=``, ``outside``, ``inside`` or ``""``. low and high: limits of a band;
    threshold: of the others. peak: the value that broke the limit. facts: what a
    model's alert rests on, as names and words.
    """

    points: tuple[tuple[datetime, float | None], ...] = ()
    unit: str = ""
    operator: str = ""
    threshold: float | None = None
    low: float | None = None
    high: float | None = None
    peak: float | None = None
    facts: tuple[tuple[str, str], ...] = ()


def shelved(alert: Alert, now: datetime) -> bool:
    """Whether the alert is put away for now."""
    until = alert.shelved_until
    return alert.open and until is not None and until > now


def state_of(alert: Alert, now: datetime) -> str:
    """The one word for where an alert stands.

    ``resolved``, ``shelved``, ``closed`` (cleared and acknowledged), ``active``,
    ``acknowledged`` (and active) or ``cleared`` (and nobody has acknowledged it).
    """
    if alert.resolved_at is not None:
        return "resolved"
    if not alert.open:
        return "closed"
    if shelved(alert, now):
        return "shelved"
    if not alert.active:
        return "cleared"
    return "active" if alert.acknowledged_at is None else "acknowledged"


def ended_at(alert: Alert) -> datetime | None:
    """When the condition was gone, or somebody ended the alert."""
    if alert.active:
        return alert.resolved_at
    ends = [at for at in (alert.cleared_at, alert.resolved_at) if at is not None]
    return min(ends, default=None)


def number_of(value: object) -> float | None:
    """A finite number out of JSON, or ``None``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def evidence_of(alert: Alert) -> Evidence:
    """What an alert's rule saw; what it did not keep, or kept badly, is left out."""
    kept = alert.evidence
    band = kept.get("band")
    low = high = None
    if isinstance(band, list | tuple) and len(band) == 2:
        low, high = number_of(band[0]), number_of(band[1])
    points = kept.get("points")
    return Evidence(
        points=tuple(_points(points)) if isinstance(points, list) else (),
        unit=str(kept.get("unit") or ""),
        operator=str(kept.get("operator") or ""),
        threshold=number_of(kept.get("threshold")),
        low=low,
        high=high,
        peak=number_of(kept.get("peak")),
        facts=tuple(
            (words, str(kept[name])) for name, words in MODEL_FACTS if kept.get(name)
        ),
    )


def _points(points: Sequence[object]) -> Iterator[tuple[datetime, float | None]]:
    for point in points:
        if not isinstance(point, list | tuple) or len(point) != 2:
            continue
        try:
            at = datetime.fromisoformat(str(point[0]))
        except ValueError:
            continue
        yield (at if at.tzinfo else at.replace(tzinfo=UTC)), number_of(point[1])


def at_page(query: AlertsQuery, found: int) -> tuple[AlertsQuery, int]:
    """The query with a page that exists, and how many pages there are."""
    pages = max(-(-found // query.page_size), 1)
    return replace(query, page=min(query.page, pages)), pages
