"""The History service on real stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from data.records import Device, Event
from services.access import Principal, Role
from services.errors import Forbidden, InvalidInput, NotFound, TooLarge
from services.history import LINES, History
from services.series import SeriesQuery
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings

PLAIN = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Nobody(Principal):
    """A caller whom the table grants nothing."""

    def may(self, permission: str) -> bool:
        """Never."""
        return False


@pytest.fixture
def history(stores: Stores) -> History:
    """The service."""
    return History(
        stores.devices,
        stores.device_store,
        stores.metrics,
        stores.lake,
        stores.settings,
        stores.clock,
    )


def lively(start: datetime, minutes: int, **changes: object) -> pd.DataFrame:
    """Readings a minute apart in which every drawn quantity moves."""
    k = np.arange(minutes)
    columns: dict[str, object] = {
        "temperature_c": np.round(55 + 3 * np.sin(k / 50), 2),
        "target_temperature_c": 57.0,
        "pressure_bar": np.round(3 + 0.2 * np.sin(k / 90), 3),
        "flow_lpm": np.where(k % 60 < 4, 6.0, 0.0),
        "power_w": np.where(k % 90 < 25, 3000.0, 0.0),
        "energy_kwh": np.round(np.cumsum(k % 90 < 25) * 0.05, 3),
    }
    return readings("wh-1", start, minutes, **(columns | changes))


@pytest.fixture
def month(stores: Stores, heater: Device) -> pd.DataFrame:
    """Twenty days of readings in the lake, with an outage of five hours."""
    frame = lively(NOW - 20 * DAY, 20 * 1440)
    out = (frame["ts"] >= pd.Timestamp("2026-03-05T03:00")) & (
        frame["ts"] < pd.Timestamp("2026-03-05T08:00")
    )
    frame = frame[~out].reset_index(drop=True)
    stores.telemetry.accept_bulk(SYSTEM, frame)
    stores.flush()
    return frame


@pytest.mark.parametrize(
    ("start", "bucket_s"),
    [("now-3h", 120), ("now-24h", 120), ("now-7d", 900), ("now-14d", 1800)],
)
def test_lines_equal_the_readings_folded_by_pandas(
    history: History, month: pd.DataFrame, start: str, bucket_s: int
) -> None:
    """Every point of every line is the fold of that bucket's readings, or a gap."""
    view = history.view(VIEWER, "wh-1", start, "now", PLAIN)

    assert view.bucket_s == bucket_s
    first, last = view.shown.times[0], np.datetime64(NOW.replace(tzinfo=None))
    part = month[(month["ts"] >= first) & (month["ts"] < last)]
    slots = part["ts"].dt.floor(f"{bucket_s}s")
    for line in LINES:
        metric, _, kind = line.rpartition("_")
        if line == "target_temperature_c":
            metric, kind = line, "last"
        folded = part.groupby(slots)[metric].agg(kind).reindex(view.shown.times)
        np.testing.assert_allclose(view.shown.lines[line], folded, rtol=1e-9)
    assert len(view.shown.times) <= 751


def test_an_outage_is_a_gap_and_not_a_line(history: History, month: object) -> None:
    """Buckets without a reading hold nothing, in every line, the target too."""
    view = history.view(VIEWER, "wh-1", "2026-03-05", "2026-03-06", PLAIN)

    hours = (view.shown.times - np.datetime64("2026-03-05")) / np.timedelta64(1, "h")
    out = (hours >= 3) & (hours < 8)
    for name, line in view.shown.lines.items():
        assert np.isnan(line[out]).all(), name
        assert np.isfinite(line[~out]).all(), name


def test_energy_bars_are_local_days_and_add_up(
    history: History, stores: Stores
) -> None:
    """Bars are days of the reader's zone, 23 hours in spring, and sum to the total."""
    stores.clock.now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    stores.add(Device(id="wh-1", name="Boiler"))
    stores.telemetry.accept_bulk(
        SYSTEM, lively(datetime(2026, 3, 26, tzinfo=UTC), 7_000)
    )
    stores.flush()

    view = history.view(VIEWER, "wh-1", "2026-03-27", "2026-03-31", BERLIN)

    lengths = [(p.end - p.start) / HOUR for p in view.shown.periods]
    assert lengths == [24, 24, 23, 24]
    bars = [p.energy_kwh for p in view.shown.periods]
    assert None not in bars[:3]
    total = view.shown.usage.energy_kwh
    assert sum(bar for bar in bars if bar is not None) == pytest.approx(total)


def test_short_ranges_have_hourly_bars_cut_to_the_range(
    history: History, month: object
) -> None:
    """Up to three days energy comes by the hour; the last bar ends with the range."""
    stop = "2026-03-09T12:20"
    view = history.view(VIEWER, "wh-1", "2026-03-09T10:30", stop, PLAIN)

    starts = [p.start.strftime("%H:%M") for p in view.shown.periods]
    assert starts == ["10:30", "11:00", "12:00"]
    assert view.shown.periods[-1].end == view.shown.window.end


def test_the_summary_is_that_of_metrics(
    history: History, stores: Stores, month: object, heater: Device
) -> None:
    """Energy, litres and uptime of the tab are those of ``Metrics.usage``."""
    view = history.view(VIEWER, "wh-1", "now-7d", "now", PLAIN)

    usage = stores.metrics.usage([heater], NOW - 7 * DAY, NOW)["wh-1"]
    assert view.shown.usage == usage
    assert usage.energy_kwh is not None
    assert usage.uptime == pytest.approx(1 - 5 / (7 * 24), abs=1e-3)


def test_the_previous_range_is_the_week_before(history: History, month: object) -> None:
    """With compare the same week before comes along, with its own totals."""
    view = history.view(VIEWER, "wh-1", "now-7d", "now", PLAIN, compare=True)
    alone = history.view(
        VIEWER, "wh-1", "2026-02-24T12:00Z", "2026-03-03T12:00Z", PLAIN
    )

    assert view.shift_days == 7
    assert view.previous is not None
    assert view.previous.usage == alone.shown.usage
    assert alone.previous is None
    for name in LINES:
        np.testing.assert_array_equal(
            view.previous.lines[name], alone.shown.lines[name]
        )


def test_flagged_values_are_counted_and_not_drawn(
    history: History, stores: Stores, heater: Device
) -> None:
    """A fault code raises the flagged count and leaves minimum and maximum alone."""
    frame = lively(NOW - 3 * HOUR, 180)
    frame.loc[[40, 41], "temperature_c"] = -999.9
    stores.telemetry.accept(SYSTEM, frame)

    view = history.view(VIEWER, "wh-1", "now-3h", "now", PLAIN)

    assert view.shown.flagged == 2
    assert view.shown.temperature.low == pytest.approx(
        frame["temperature_c"][42:].min()
    )
    assert view.shown.temperature.n == 178
    assert view.shown.usage.readings == 180


def test_only_flagged_readings_are_not_drawable(
    history: History, stores: Stores, heater: Device
) -> None:
    """A range with nothing but bad values has readings and nothing to draw."""
    frame = readings("wh-1", NOW - HOUR, 60, temperature_c=-999.9)
    stores.telemetry.accept(SYSTEM, frame)

    view = history.view(VIEWER, "wh-1", "now-2h", "now", PLAIN)

    assert view.shown.usage.readings == view.shown.flagged == 60
    assert not view.shown.drawable


def test_an_empty_range_says_where_the_data_is(
    history: History, stores: Stores, month: pd.DataFrame, heater: Device
) -> None:
    """Without a reading in the range the first and last of the device are given."""
    stores.add(Device(id="wh-2", name="Silent"))

    before = history.view(VIEWER, "wh-1", "2026-01-01", "2026-01-08", PLAIN)
    never = history.view(VIEWER, "wh-2", "now-7d", "now", PLAIN)

    assert before.shown.usage.readings == 0
    assert before.span == (NOW - 20 * DAY, NOW - timedelta(minutes=1))
    assert never.span is None
    assert not never.shown.drawable


def test_events_close_together_share_a_mark(
    history: History, stores: Stores, month: object
) -> None:
    """Three events in a minute are one mark that names the worst; all are counted."""
    at = NOW - 2 * DAY
    severities = ("info", "critical", "low")
    new = [
        Event("wh-1", at + timedelta(seconds=i), "status", severity, f"event {i}")
        for i, severity in enumerate(severities)
    ]
    new.append(Event("wh-1", NOW - 8 * DAY, "status", "info", "before the range"))
    with stores.device_store.transaction() as tx:
        stores.device_store.add_events(tx, new)

    view = history.view(VIEWER, "wh-1", "now-7d", "now", PLAIN)

    (mark,) = view.shown.marks
    assert (mark.ts, mark.count, mark.severity) == (at, 3, "critical")
    assert mark.messages == ("event 1", "event 2", "event 0")
    assert view.shown.event_count == 3


def test_bad_questions_are_refused_by_name(history: History, heater: Device) -> None:
    """A bad range, an unknown device and a missing permission are told apart."""
    with pytest.raises(InvalidInput, match="longest allowed is 400 days"):
        history.view(VIEWER, "wh-1", "now-500d", "now", PLAIN)
    with pytest.raises(NotFound):
        history.view(VIEWER, "wh-9", None, None, PLAIN)
    nobody = Nobody("nobody", Role.VIEWER)
    for door in (history.view, history.export):
        with pytest.raises(Forbidden):
            door(nobody, "wh-1", None, None, PLAIN)


@pytest.mark.parametrize(
    ("start", "asked", "given"),
    [("now-1h", "auto", "raw"), ("now-15d", "auto", "15m"), ("now-15d", "1h", "1h"),
     ("now-1h", "15m", "15m"), ("now-200d", "auto", "1h"), ("now-399d", "auto", "2h")],
)  # fmt: skip
def test_series_names_the_resolution_it_gives(
    history: History, month: object, start: str, asked: str, given: str
) -> None:
    """Programs get raw readings while they fit, coarser ones beyond, and are told."""
    query = SeriesQuery(start, "now", resolution=asked)

    assert history.series(VIEWER, "wh-1", query).resolution == given


def test_series_of_buckets_carries_mean_and_extremes(
    history: History, month: pd.DataFrame
) -> None:
    """An hour's item is the mean, minimum and maximum of its readings."""
    query = SeriesQuery("now-2d", "now", resolution="1h", metrics=("temperature_c",))
    view = history.series(VIEWER, "wh-1", query)

    hour = month[month["ts"] >= pd.Timestamp("2026-03-10T11:00")]["temperature_c"]
    last = view.items[-1]
    assert last["ts"] == datetime(2026, 3, 10, 11, tzinfo=UTC)
    assert last["temperature_c"] == pytest.approx(hour.mean(), abs=1e-4)
    assert last["temperature_c_min"] == hour.min()
    assert last["temperature_c_max"] == hour.max()
    assert last["n"] == 60
    assert len(view.items) == 48


def test_flagged_values_come_only_when_asked_for(
    history: History, stores: Stores, heater: Device
) -> None:
    """Raw items leave bad values out; with ``flagged`` they come with the reason."""
    frame = lively(NOW - HOUR, 60)
    frame.loc[10, "temperature_c"] = -999.9
    stores.telemetry.accept(SYSTEM, frame)
    metrics = ("temperature_c",)

    plain = history.series(VIEWER, "wh-1", SeriesQuery("now-1h", metrics=metrics))
    full = history.series(
        VIEWER, "wh-1", SeriesQuery("now-1h", metrics=metrics, flagged=True)
    )

    assert (len(plain.items), len(full.items)) == (59, 60)
    assert plain.flagged == full.flagged == 1
    assert full.items[10]["temperature_c"] == -999.9
    assert "fault_code" in full.items[10]["flagged"]["temperature_c"]


def test_too_fine_a_resolution_names_the_limit(history: History, month: object) -> None:
    """More points than the limit are refused, and the message says which setting."""
    for resolution, start in (("raw", "now-7d"), ("15m", "now-100d")):
        with pytest.raises(TooLarge, match="IOTSPHERE_MAX_POINTS"):
            history.series(VIEWER, "wh-1", SeriesQuery(start, resolution=resolution))
    for wrong in ({"resolution": "5m"}, {"metrics": ("noise",)},
                  {"flagged": True, "resolution": "1h"}):  # fmt: skip
        with pytest.raises(InvalidInput):
            SeriesQuery(**wrong)  # type: ignore[arg-type]
