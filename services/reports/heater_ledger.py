"""Legionella and scald of one heater, printable: what was counted, and its limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from data.records import Device
from services.ledger import LedgerView
from services.ledger_sums import LedgerSpan
from services.ledger_words import band_words, degrees, reason_words
from services.reports.compose_parts import Job
from services.reports.document import (
    Block,
    Cell,
    Column,
    Figure,
    Figures,
    Table,
    Text,
    Tone,
)
from services.units import Preferences, convert, unit
from services.wording import duration, local_time

NOTE = (
    "Legionella and scald: a risk index from one tank sensor, counted in quarter hours "
    "of trusted readings. It can show that something asks for a look. It cannot show "
    "that the water is free of germs."
)
WORDS: Mapping[str, tuple[str, Tone]] = {
    "fine": ("Nothing stands out", "good"),
    "look": ("Look", "watch"),
    "cannot tell": ("Cannot tell", "plain"),
}


def ledger_blocks(job: Job, device: Device) -> tuple[Block, ...]:
    """The verdict now, and the range beside the last 7 and 30 days."""
    prefs, query = job.prefs, job.query
    view = job.sources.ledger.of(job.caller, device.id)
    words, tone = WORDS[view.verdict]
    reasons = " ".join(reason_words(reason, prefs) for reason in view.reasons)
    said = Text(f"{words}. {reasons}".strip(), tone)
    if device.type == "tankless":
        return (said,)
    span = job.sources.ledger.span(job.caller, device.id, query.start, query.end)
    return said, _now(view, prefs), _spans(device, (span, *view.spans), prefs)


def _now(view: LedgerView, prefs: Preferences) -> Figures:
    hot = "never in the stored history"
    if view.hot_hour_at is not None:
        hot = local_time(view.hot_hour_at, prefs)
    still = "cannot tell"
    if view.still_s is not None:
        still = duration(view.still_s) if view.still_s else "water was just drawn"
    return Figures(
        (
            Figure(f"Last whole hour at {degrees(60.0, prefs)} or more", hot),
            Figure("Without flow now", still),
        )
    )


Reading = Callable[[LedgerSpan], Cell]


def _spans(device: Device, spans: tuple[LedgerSpan, ...], prefs: Preferences) -> Table:
    columns = (
        Column("what", "", width=2.6),
        Column("range", "This report's range", decimals=1),
        Column("last_7_days", "Last 7 days", decimals=1),
        Column("last_30_days", "Last 30 days", decimals=1),
        Column("unit", "Unit", width=0.7),
    )
    rows = tuple(
        (name, *(reading(span) for span in spans), words)
        for name, words, reading in _lines(prefs)
    )
    open_ends = any(span.still_open for span in spans)
    note = (
        "The longest time without flow reaches the start of its range where it may "
        "be longer."
        if open_ends
        else ""
    )
    title = "What the tank has been through"
    return Table(f"ledger-{device.id}", title, columns, rows, note)


def _lines(prefs: Preferences) -> list[tuple[str, str, Reading]]:
    scale = unit("temperature", prefs)

    def difference(value: float | None) -> float | None:
        return (
            None if value is None else convert(value, "temperature_difference", prefs)
        )

    def warmth(value: float | None) -> float | None:
        return None if value is None else convert(value, "temperature", prefs)

    return [
        (f"Time in {band_words(prefs)}", "h", lambda s: s.in_band_h),
        (
            f"Degree-hours above {degrees(25.0, prefs)} in that time",
            f"{scale}·h",
            lambda s: difference(s.degree_hours),
        ),
        (f"Time below {degrees(50.0, prefs)}", "h", lambda s: s.below_50_h),
        (f"At {degrees(54.0, prefs)} or more", "%", lambda s: _percent(s.hot_54)),
        (f"At {degrees(60.0, prefs)} or more", "%", lambda s: _percent(s.hot_60)),
        ("Highest temperature", scale, lambda s: warmth(s.highest_c)),
        ("Longest time without flow", "h", lambda s: _hours(s.still_longest_s)),
        ("Share of the time counted", "%", lambda s: _percent(s.covered)),
    ]


def _percent(part: float | None) -> float | None:
    return None if part is None else part * 100


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else seconds / 3_600
