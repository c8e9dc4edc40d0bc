"""Operations: the present, its trends and flags, totals, and what a tick brings."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.records import Device
from services.errors import NotFound
from services.health import Health
from services.live import CHARTED, MEASURED, LiveView
from services.metrics import Usage
from services.operations import Operations, Seen, mode_shares
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings

UTC_ZONE = ZoneInfo("UTC")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def operations(stores: Stores) -> Operations:
    """The service under test on real stores."""
    health = Health(stores.metrics, stores.clock)
    return Operations(stores.devices, stores.metrics, health, stores.hot, stores.clock)


def send(stores: Stores, minutes: int, until=NOW, **columns: object) -> None:
    """Readings every minute up to and with ``until``."""
    start = until - (minutes - 1) * MINUTE
    stores.telemetry.accept(SYSTEM, readings("wh-1", start, minutes, **columns))


def seen(at=NOW, last=NOW, drawn=NOW) -> Seen:
    """A page whose lines all end at ``last``."""
    return Seen(at, drawn, dict.fromkeys(CHARTED, last))


def live(operations: Operations) -> LiveView:
    """The heater now."""
    return operations.view(VIEWER, "wh-1", UTC_ZONE).live


def test_unknown_heater_is_not_found(operations: Operations) -> None:
    """Every question about a heater that does not exist says so."""
    for ask in (
        lambda: operations.view(VIEWER, "nobody", UTC_ZONE),
        lambda: operations.numbers(VIEWER, "nobody", UTC_ZONE),
        lambda: operations.tick(VIEWER, "nobody", seen()),
    ):
        with pytest.raises(NotFound):
            ask()


def test_heater_that_never_reported(operations: Operations, heater: Device) -> None:
    """Nothing is known of a silent heater, and nothing is made up."""
    view = operations.view(VIEWER, "wh-1", UTC_ZONE)
    assert (view.live.connectivity, view.live.status) == ("never", "unknown")
    assert {v.value for v in view.live.values.values()} == {None}
    assert not any(view.chart.lines.values())
    assert view.numbers.health.score is None
    assert view.numbers.modes == ()
    assert view.numbers.week.energy_kwh is None


def test_one_reading_is_shown_without_a_trend(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A single reading is a value, not a direction."""
    send(stores, 1, temperature_c=55.0)
    value = live(operations).values["temperature_c"]
    assert (value.value, value.ts, value.trend) == (55.0, NOW, None)
    assert not value.stale


@pytest.mark.parametrize(
    ("last", "trend"), [(55.2, "steady"), (56.0, "up"), (54.0, "down")]
)
def test_trend_compares_with_the_minutes_before(
    operations: Operations, stores: Stores, heater: Device, last: float, trend: str
) -> None:
    """A change beyond the sensor's noise is a trend."""
    send(stores, 10, temperature_c=[55.0] * 9 + [last])
    assert live(operations).values["temperature_c"].trend == trend


def test_value_goes_stale_with_its_age(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A value is stale past three reporting intervals, and then has no trend."""
    send(stores, 10, temperature_c=55.0)
    stores.clock.forward(minutes=3)
    assert not live(operations).values["temperature_c"].stale
    stores.clock.forward(seconds=1)
    view = live(operations)
    assert view.connectivity == "late"
    value = view.values["temperature_c"]
    assert (value.stale, value.trend, value.value) == (True, None, 55.0)


def test_metric_that_stopped_is_stale_alone(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A heater that still reports may have one metric that does not."""
    send(stores, 1, until=NOW - 10 * MINUTE, pressure_bar=3.4)
    send(stores, 5, temperature_c=55.0)
    values = live(operations).values
    assert values["pressure_bar"].stale
    assert not values["temperature_c"].stale


def test_flagged_value_names_its_reason(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A newer flagged value stands beside the last good one, with its reason."""
    send(stores, 5, until=NOW - MINUTE, temperature_c=55.0)
    send(stores, 1, temperature_c=888.8)
    value = live(operations).values["temperature_c"]
    assert (value.value, value.ts) == (55.0, NOW - MINUTE)
    assert (value.flagged_at, value.reasons) == (NOW, ("fault_code",))
    send(stores, 1, until=NOW + MINUTE, temperature_c=55.1)
    assert live(operations).values["temperature_c"].flagged_at is None


def test_chart_has_gaps_where_readings_are_missing(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """An hour without readings breaks the line once."""
    send(stores, 20, until=NOW - 80 * MINUTE, temperature_c=55.0)
    send(stores, 20, temperature_c=56.0)
    points = operations.view(VIEWER, "wh-1", UTC_ZONE).chart.lines["temperature_c"]
    assert [v for _, v in points] == [55.0] * 20 + [None] + [56.0] * 20
    assert points[-1] == (NOW, 56.0)


def test_metrics_that_come_in_turns_are_whole_lines(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A metric in every other reading is a line, not a row of single points."""
    even = [55.0 if i % 2 else None for i in range(20)]
    odd = [None if i % 2 else 2900.0 for i in range(20)]
    send(stores, 20, temperature_c=even, power_w=odd)
    lines = operations.view(VIEWER, "wh-1", UTC_ZONE).chart.lines
    assert [v for _, v in lines["temperature_c"]] == [55.0] * 10
    assert [v for _, v in lines["power_w"]] == [2900.0] * 10


def test_tick_brings_each_reading_once(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """Missed ticks lose nothing: the next one brings all since the last."""
    send(stores, 5, temperature_c=55.0)
    stores.clock.forward(minutes=4)
    send(stores, 4, until=NOW + 4 * MINUTE, temperature_c=[55.1, 55.2, 888.8, 55.4])
    tick = operations.tick(VIEWER, "wh-1", seen())
    assert not tick.redraw
    assert [v for _, v in tick.chart.lines["temperature_c"]] == [55.1, 55.2, 55.4]
    later = operations.tick(
        VIEWER, "wh-1", seen(at=stores.clock(), last=NOW + 4 * MINUTE)
    )
    assert not any(later.chart.lines.values())


def test_tick_after_a_silence_starts_with_a_gap(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """The first point after a silence is not joined to the last before it."""
    send(stores, 5, temperature_c=55.0)
    stores.clock.forward(minutes=6)
    send(stores, 1, until=NOW + 6 * MINUTE, temperature_c=56.0)
    tick = operations.tick(VIEWER, "wh-1", seen(at=NOW + 5 * MINUTE))
    at = NOW + 6 * MINUTE
    assert tick.chart.lines["temperature_c"] == ((at, None), (at, 56.0))


def test_flushed_readings_still_reach_the_page(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """A flush between two ticks takes nothing away from the second."""
    send(stores, 5, temperature_c=55.0)
    stores.clock.forward(minutes=1)
    send(stores, 1, until=NOW + MINUTE, temperature_c=56.0)
    stores.flush()
    tick = operations.tick(VIEWER, "wh-1", seen())
    assert [v for _, v in tick.chart.lines["temperature_c"]] == [56.0]


@pytest.mark.parametrize(
    ("page", "redraw"),
    [
        (seen(), True),
        (seen(at=NOW + 18 * MINUTE), True),
        (seen(at=NOW + 18 * MINUTE, drawn=NOW + 10 * MINUTE), False),
        (seen(at=NOW + 18 * MINUTE, drawn=NOW + 10 * MINUTE, last=None), True),
    ],
    ids=["asleep", "old", "awake", "empty"],
)
def test_chart_is_drawn_anew_when_needed(
    operations: Operations, stores: Stores, heater: Device, page: Seen, redraw: bool
) -> None:
    """A page that was asleep, is old or is empty gets its whole chart."""
    send(stores, 5, temperature_c=55.0)
    stores.clock.forward(minutes=20)
    send(stores, 1, until=NOW + 20 * MINUTE, temperature_c=56.0)
    tick = operations.tick(VIEWER, "wh-1", page)
    assert tick.redraw is redraw
    points = [v for _, v in tick.chart.lines["temperature_c"]]
    assert points == ([55.0] * 5 if redraw else []) + [None, 56.0]


def test_totals_are_those_of_the_metrics(
    operations: Operations, stores: Stores, heater: Device
) -> None:
    """Today and 7 days equal what the one definition of totals says."""
    columns = {"power_w": 3000.0, "flow_lpm": 2.0, "heating": True, "mode": "eco"}
    stores.telemetry.accept(
        SYSTEM, readings("wh-1", NOW - timedelta(hours=20), 20 * 60, **columns)
    )
    stores.flush()
    zone = ZoneInfo("Europe/Berlin")
    view = operations.numbers(VIEWER, "wh-1", zone)
    midnight = NOW.replace(hour=0) - timedelta(hours=1)
    assert view.today == usage(stores, heater, midnight)
    assert view.week == usage(stores, heater, NOW - timedelta(days=7))
    assert view.today.energy_kwh == pytest.approx(3.0 * 13, rel=0.01)
    assert view.modes == (("eco", 1.0),)


def usage(stores: Stores, device: Device, start) -> Usage:
    """The totals of the metrics service."""
    return stores.metrics.usage([device], start, NOW)[device.id]


def test_mode_shares_weigh_reported_time() -> None:
    """Quarters without a mode or without a step do not count."""
    frame = pd.DataFrame(
        {
            "mode_last": ["eco", "eco", "off", None, "gas"],
            "covered_s": [900.0, 600.0, 500.0, 900.0, 0.0],
        }
    )
    assert mode_shares(frame) == (("eco", 0.75), ("off", 0.25))


def test_every_value_of_the_page_has_an_entry(
    operations: Operations, heater: Device
) -> None:
    """Gauges, target and mode are there even when nothing was reported."""
    assert set(live(operations).values) == {
        *MEASURED, "target_temperature_c", "mode",
    }  # fmt: skip
