"""What of a heater's ledger asks for a look: findings, never a promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from data.records import Device
from services.ledger_sums import LedgerSpan

FINE, LOOK, CANNOT_TELL = "fine", "look", "cannot tell"
COVERED_LEAST = 0.5
BAND_MOST_H = 24.0
COOL_MOST_H = 24.0
STILL_MOST = timedelta(days=7)
HOT_WITHIN = timedelta(days=7)
HOT_60_MOST = 0.01


@dataclass(frozen=True)
class Reason:
    """One finding of the last seven days.

    code: ``growth`` (hours in 25..45 °C), ``cool`` (hours below 50 °C and no whole
    hour at 60 °C), ``still`` (days without flow), ``scald`` (share at 60 °C or more
    without a recorded mixing valve), ``few`` (share of the time that is counted) or
    ``no_tank``; ``amount`` is what the brackets say.
    """

    code: str
    amount: float


def judged(
    device: Device,
    week: LedgerSpan,
    hot_hour_at: datetime | None,
    still_s: float | None,
    now: datetime,
) -> tuple[str, tuple[Reason, ...]]:
    """Verdict and its reasons, from the last 7 days.

    ``look``: over 24 h in 25..45 °C; over 24 h below 50 °C without a whole hour at
    60 °C; 7 days without flow up to now; or over 1 % of the time at 60 °C or more
    without a recorded mixing valve. Without one of these, less than half the time
    counted is ``cannot tell``.
    """
    if device.type == "tankless":
        return CANNOT_TELL, (Reason("no_tank", 0.0),)
    reasons = []
    hot_lately = hot_hour_at is not None and now - hot_hour_at <= HOT_WITHIN
    in_band_h, cool_h = week.in_band_h or 0.0, week.below_50_h or 0.0
    hot_60 = week.hot_60 or 0.0
    if in_band_h > BAND_MOST_H:
        reasons.append(Reason("growth", in_band_h))
    if cool_h > COOL_MOST_H and not hot_lately:
        reasons.append(Reason("cool", cool_h))
    if still_s is not None and still_s >= STILL_MOST.total_seconds():
        reasons.append(Reason("still", still_s / 86_400))
    if hot_60 > HOT_60_MOST and not device.mixing_valve:
        reasons.append(Reason("scald", hot_60))
    if reasons:
        return LOOK, tuple(reasons)
    if week.covered < COVERED_LEAST:
        return CANNOT_TELL, (Reason("few", week.covered),)
    return FINE, ()
