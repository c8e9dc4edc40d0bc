"""What alerts teach over time: when, which, how long, how noisy, how right."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from data.alert_pattern_store import (
    Activation,
    AlertPatternStore,
    Handling,
    Untouched,
    Verdict,
)
from services.access import Principal, requires
from services.alert_thresholds import Raise, raises_of
from services.errors import InvalidInput
from services.stats.intervals import Measured, proportion

PERIODS: Mapping[str, int] = {"7d": 7, "30d": 30, "90d": 90, "365d": 365}
"""Name of a period -> whole local days, today included."""
MOST_ROWS = 200_000
MOST_LISTED = 12
MOST_STALE = 50
CHATTER_NEAR, CHATTER_SPAN = 3, timedelta(minutes=10)
CHATTER_DAY = 10
CHATTER_MEANING = (
    f"{CHATTER_NEAR} or more activations within "
    f"{int(CHATTER_SPAN.total_seconds() // 60)} minutes, or {CHATTER_DAY} or more on "
    "one day"
)
STALE_AFTER = timedelta(hours=24)
STALE_MEANING = (
    "active, raised more than 24 hours ago, and nobody has acknowledged, taken, "
    "commented or shelved it"
)


@dataclass(frozen=True)
class Bar:
    """One rule or subject with its activations; ``share`` adds up from the first."""

    key: str
    name: str
    source: str
    count: int
    share: float


@dataclass(frozen=True)
class Chatter:
    """A rule and subject that come and go: most within 10 minutes, most on a day."""

    rule_key: str
    rule_name: str
    source: str
    subject: str
    subject_name: str
    near: int
    on_a_day: int
    count: int


@dataclass(frozen=True)
class Precision:
    """How often a rule was right, of the verdicts people gave, and what would help."""

    rule_key: str
    rule_name: str
    useful: int
    noise: int
    precision: Measured
    raises: tuple[Raise, ...]


@dataclass(frozen=True)
class PatternsView:
    """The patterns of a period.

    days: every local day with its activations. per_day: their mean. medians: time to
    acknowledge and to resolve, ``None`` where nobody has. cut: there were more
    activations than are counted.
    """

    now: datetime
    period: str
    days: tuple[tuple[date, int], ...]
    activations: int
    alerts: int
    per_day: float
    median_to_acknowledge: timedelta | None
    acknowledged: int
    median_to_resolve: timedelta | None
    resolved: int
    rules: tuple[Bar, ...]
    subjects: tuple[Bar, ...]
    chattering: tuple[Chatter, ...]
    stale: tuple[Untouched, ...]
    precisions: tuple[Precision, ...]
    cut: bool


class AlertPatterns:
    """Answers questions about all alerts of a period."""

    def __init__(self, store: AlertPatternStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def of(
        self, caller: Principal, zone: ZoneInfo, period: str = "90d"
    ) -> PatternsView:
        """The patterns of a period that ends now.

        Args:
            caller: needs ``alert.read``.
            zone: the reader's time zone: it decides what a day is.
            period: a key of ``PERIODS``.

        Raises:
            InvalidInput: there is no such period.
        """
        requires(caller, "alert.read")
        if period not in PERIODS:
            raise InvalidInput(f"period must be one of {', '.join(PERIODS)}.")
        now = self._clock()
        today, length = now.astimezone(zone).date(), PERIODS[period]
        first = today - timedelta(days=length - 1)
        since = datetime(first.year, first.month, first.day, tzinfo=zone)
        found = self._store.activations(since, MOST_ROWS)
        handled = self._store.handlings(since, MOST_ROWS)
        waits = [seconds_to(h, seen_at(h)) for h in handled]
        ends = [seconds_to(h, h.resolved_at) for h in handled]
        stale_before = now - STALE_AFTER
        return PatternsView(
            now=now,
            period=period,
            days=_days(found, first, length, zone),
            activations=len(found),
            alerts=len(handled),
            per_day=len(found) / length,
            median_to_acknowledge=median_of(waits),
            acknowledged=sum(w is not None for w in waits),
            median_to_resolve=median_of(ends),
            resolved=sum(e is not None for e in ends),
            rules=pareto((a.rule_key, a.rule_name, a.source) for a in found),
            subjects=pareto((a.subject, a.subject_name, a.source) for a in found),
            chattering=chattering(found, zone),
            stale=tuple(self._store.untouched(stale_before, now, MOST_STALE)),
            precisions=precisions(self._store.verdicts(since, MOST_ROWS)),
            cut=len(found) == MOST_ROWS,
        )


def _days(
    found: Sequence[Activation], first: date, length: int, zone: ZoneInfo
) -> tuple[tuple[date, int], ...]:
    counts = Counter(a.at.astimezone(zone).date() for a in found)
    days = [first + timedelta(days=i) for i in range(length)]
    return tuple((day, counts[day]) for day in days)


def pareto(keys: Iterable[tuple[str, str, str]]) -> tuple[Bar, ...]:
    """The commonest first; each with the share that it and those before it have."""
    counts: Counter[tuple[str, str]] = Counter()
    names: dict[tuple[str, str], str] = {}
    for key, name, source in keys:
        counts[source, key] += 1
        names[source, key] = name  # the newest name counts
    total, reached, bars = sum(counts.values()), 0, []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for (source, key), count in ordered[:MOST_LISTED]:
        reached += count
        bars.append(Bar(key, names[source, key], source, count, reached / total))
    return tuple(bars)


def chattering(found: Sequence[Activation], zone: ZoneInfo) -> tuple[Chatter, ...]:
    """The pairs of rule and subject that chatter, the busiest first."""
    groups: dict[Hashable, list[Activation]] = defaultdict(list)
    for one in found:
        groups[one.rule_key, one.source, one.subject].append(one)
    chatters = []
    for group in groups.values():
        near = _most_within([a.at for a in group], CHATTER_SPAN)
        days = Counter(a.at.astimezone(zone).date() for a in group)
        on_a_day = max(days.values())
        if near >= CHATTER_NEAR or on_a_day >= CHATTER_DAY:
            last = group[-1]
            chatters.append(
                Chatter(
                    last.rule_key, last.rule_name, last.source, last.subject,
                    last.subject_name, near, on_a_day, len(group),
                )
            )  # fmt: skip
    return tuple(sorted(chatters, key=lambda c: (-c.count, c.rule_key, c.subject)))


def _most_within(times: Sequence[datetime], span: timedelta) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] > span:
            first += 1
        most = max(most, last - first + 1)
    return most


def precisions(verdicts: Sequence[Verdict]) -> tuple[Precision, ...]:
    """Each rule with verdicts, the least precise first."""
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for one in verdicts:
        groups[one.rule_key].append(one)
    made = []
    for key, group in groups.items():
        useful = sum(v.verdict == "useful" for v in group)
        made.append(
            Precision(
                rule_key=key,
                rule_name=group[0].rule_name,
                useful=useful,
                noise=len(group) - useful,
                precision=proportion(useful, len(group)),
                raises=raises_of(group),
            )
        )
    return tuple(sorted(made, key=lambda p: (p.precision.value or 0, p.rule_key)))


def seen_at(handling: Handling) -> datetime | None:
    """Whoever resolves an alert has seen it."""
    seen = (handling.acknowledged_at, handling.resolved_at)
    return min((at for at in seen if at is not None), default=None)


def seconds_to(handling: Handling, at: datetime | None) -> float | None:
    """How long after it was raised something happened to an alert."""
    return None if at is None else max((at - handling.raised_at).total_seconds(), 0)


def median_of(seconds: Sequence[float | None]) -> timedelta | None:
    """The middle one of those that are known."""
    known = [s for s in seconds if s is not None]
    return timedelta(seconds=median(known)) if known else None
