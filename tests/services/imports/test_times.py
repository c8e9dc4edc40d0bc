"""Times of many forms as UTC."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from services.errors import InvalidInput
from services.imports import timing
from services.imports.plans import Dialect, TimePlan
from services.imports.sniffing import Sniffed
from services.imports.times import localise, offset_of, to_utc


def read(
    *columns: list[object],
    tz: str | None = None,
    decimal: str = ".",
    name: str = "time",
) -> tuple[list[object], TimePlan]:
    """Plan and read a time column, or a date and a time column."""
    names = (name,) if len(columns) == 1 else ("date", "time")
    sample = {n: pa.array(c) for n, c in zip(names, columns, strict=True)}
    found = Sniffed(Dialect("csv", delimiter=",", header=names), sample)
    plan, _ = timing.plan_times(found, {}, tz, decimal)
    devices = np.full(len(columns[0]), "a", object)
    times, reasons = to_utc(tuple(sample[n] for n in plan.columns), plan, devices)
    out = [
        r or pd.Timestamp(t).isoformat() for t, r in zip(times, reasons, strict=True)
    ]
    return out, plan


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T14:05:00Z", "2026-11-23T14:05:00"),
        ("2026-11-23T14:05:00.250+01:00", "2026-11-23T13:05:00.250000"),
        ("2026-11-23 14:05:00,250", "2026-11-23T14:05:00.250000"),
        ("2026-11-23 14:05", "2026-11-23T14:05:00"),
        ("2026/11/23 14:05:01", "2026-11-23T14:05:01"),
        ("20261123T140500Z", "2026-11-23T14:05:00"),
        ("20261123140500", "2026-11-23T14:05:00"),
        ("11/23/2026 14:05", "2026-11-23T14:05:00"),
        ("11/23/2026, 2:05:00 PM", "2026-11-23T14:05:00"),
        ("11/23/26 02:05:00 PM", "2026-11-23T14:05:00"),
        ("23.11.2026 14:05:00", "2026-11-23T14:05:00"),
        ("23-11-2026 14:05", "2026-11-23T14:05:00"),
        ("23-Nov-2026 14:05:00", "2026-11-23T14:05:00"),
        ("Nov 23, 2026 2:05 PM", "2026-11-23T14:05:00"),
        ("2026-11-23 14:05:00 UTC", "2026-11-23T14:05:00"),
        ("23.11.2026 14:05:00 +0530", "2026-11-23T08:35:00"),
        ("1795442700", "2026-11-23T14:05:00"),
        ("1795442700.5", "2026-11-23T14:05:00.500000"),
        ("1795442700250", "2026-11-23T14:05:00.250000"),
        ("1795442700250000", "2026-11-23T14:05:00.250000"),
        ("46349.586805555555", "2026-11-23T14:05:00"),
    ],
)
def test_form_is_recognised(text: str, expected: str) -> None:
    """One time written in a common form is read right, without any hint."""
    assert read([text])[0] == [expected]


def test_numbers_are_epochs_by_their_size() -> None:
    """Numeric columns count seconds to nanoseconds since 1970 by their size."""
    second = 1_795_442_700
    for factor, style in ((1, "s"), (10**3, "ms"), (10**6, "us"), (10**9, "ns")):
        times, plan = read([second * factor, None])
        assert times == ["2026-11-23T14:05:00", "no time"]
        assert plan.style == f"epoch {style}"


def test_native_times_keep_their_zone() -> None:
    """Aware times of a Parquet column are converted, naive ones read in --tz."""
    stamp = pd.Timestamp("2026-07-01 12:00")
    aware = pa.array([stamp.tz_localize("Europe/Berlin")])
    naive = pa.array([stamp])

    assert read(aware)[0] == ["2026-07-01T10:00:00"]
    assert read(naive)[0] == ["2026-07-01T12:00:00"]
    assert read(naive, tz="Europe/Berlin")[0] == ["2026-07-01T10:00:00"]


def test_date_and_time_columns_are_joined() -> None:
    """A date column beside a time column makes one time."""
    out, plan = read(["11/23/2026", "11/24/2026 00:00:00"], ["14:05", "2:05:00 PM"])

    assert out == ["2026-11-23T14:05:00", "2026-11-24T14:05:00"]
    assert plan.columns == ("date", "time")


def test_zone_in_each_time_beats_the_option() -> None:
    """--tz speaks only for times without a zone of their own."""
    out, _ = read(["2026-07-01T12:00:00Z", "2026-07-01T12:00:00"], tz="Europe/Berlin")

    assert out == ["2026-07-01T12:00:00", "2026-07-01T10:00:00"]


def test_zone_in_the_header_is_used() -> None:
    """A logger's header such as ``Date Time, GMT-05:00`` sets the zone."""
    out, plan = read(["11/23/2026 14:05"], name="Date Time, GMT-05:00")

    assert out == ["2026-11-23T19:05:00"]
    assert plan.zone == "GMT-05:00"


def test_assumed_zone_is_said() -> None:
    """Times without a zone and without --tz are UTC, and the plan says so."""
    assert "assumed UTC" in read(["2026-11-23 14:05"])[1].why


def test_order_of_day_and_month() -> None:
    """A day above twelve settles the order, then days that follow days, then style."""
    assert read(["01/02/2026 1:00", "25/02/2026 1:00"])[0][0] == "2026-02-01T01:00:00"
    days = [f"03/{day:02d}/2026 1:00" for day in range(1, 9)]
    assert read(days)[0][1] == "2026-03-02T01:00:00"
    assert read([f"{d:02d}/03/2026 1:00" for d in range(1, 9)])[0][1][5:7] == "03"
    american, plan = read(["03/04/2026 1:00"])
    assert american == ["2026-03-04T01:00:00"]
    assert "assumed month first" in plan.why
    assert read(["03/04/2026 1:00"], decimal=",")[0] == ["2026-04-03T01:00:00"]
    assert read(["03.04.2026 1:00"])[0] == ["2026-04-03T01:00:00"]


def test_both_orders_in_one_file_are_a_problem() -> None:
    """Dates that contradict each other are not read at all."""
    with pytest.raises(timing.NoTimeError, match="both orders"):
        read(["25/02/2026 1:00", "02/25/2026 1:00"])


@pytest.mark.parametrize("column", [["0", "60"], ["x", "y"], ["", None], [1.5, 2.5]])
def test_what_is_no_time_is_a_problem(column: list[object]) -> None:
    """Elapsed seconds, words and empty columns are refused with a reason."""
    with pytest.raises(timing.NoTimeError):
        read(column)


def test_bad_time_among_good_ones_is_one_row() -> None:
    """A time that cannot be has its own reason; the others are read."""
    out, _ = read(["2026-02-28 10:00", "2026-02-30 10:00", "soon", "", "NA"])

    assert out == ["2026-02-28T10:00:00", "not a time", "not a time"] + ["no time"] * 2


def local(walls: list[str], zone: str, devices: list[str] | None = None) -> list[str]:
    """Wall times as UTC times or reasons."""
    times = np.array(walls, "datetime64[us]")
    reasons = np.full(len(walls), None, object)
    owners = np.array(devices or ["a"] * len(walls), object)
    found = localise(times, zone, owners, reasons)
    return [
        r or str(t)[11:16]
        for t, r in zip(found.astype("datetime64[m]"), reasons, strict=True)
    ]


def test_skipped_hour_is_refused() -> None:
    """A local time that clocks jumped over has no UTC time and says why."""
    out = local(
        ["2026-03-29T01:59", "2026-03-29T02:30", "2026-03-29T03:00"], "Europe/Berlin"
    )

    assert out[::2] == ["00:59", "01:00"]
    assert (
        out[1] == "this local time never was: clocks went forward (zone Europe/Berlin)"
    )


FALL = [
    "2026-10-25T01:30", "2026-10-25T02:00", "2026-10-25T02:30",
    "2026-10-25T02:00", "2026-10-25T02:30", "2026-10-25T03:00",
]  # fmt: skip
FALL_UTC = ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]


def test_repeated_hour_follows_the_order_of_rows() -> None:
    """Rows in order, or newest first, tell the two passes of the hour apart."""
    assert local(FALL, "Europe/Berlin") == FALL_UTC
    assert local(FALL[::-1], "Europe/Berlin") == FALL_UTC[::-1]


def test_repeated_hour_is_told_per_device() -> None:
    """Devices whose rows lie between one another are told apart."""
    walls = [wall for wall in FALL for _ in range(2)]

    assert local(walls, "Europe/Berlin", ["a", "b"] * len(FALL)) == [
        t for t in FALL_UTC for _ in range(2)
    ]


@pytest.mark.parametrize(
    "minutes", [["00"], ["00", "10", "20"], ["00", "20", "10", "30"], ["00", "00"]]
)
def test_repeated_hour_without_a_clear_turn_is_refused(minutes: list[str]) -> None:
    """Nothing is guessed when one pass is missing or rows are merely out of order."""
    out = local([f"2026-10-25T02:{m}" for m in minutes], "Europe/Berlin")

    assert set(out) == {
        "this local time was twice: clocks went back (zone Europe/Berlin)"
    }


def test_zone_names_are_checked() -> None:
    """IANA names and fixed offsets pass, anything else is an error."""
    for zone in (None, "UTC", "+05:30", "America/New_York"):
        timing.check_zone(zone)
    for zone in ("Mars/Base", "../etc/passwd", "CEST please", ""):
        with pytest.raises(InvalidInput, match="--tz"):
            timing.check_zone(zone)


def test_offsets_have_their_sign() -> None:
    """Fixed offsets in their written forms have the right size and sign."""
    sizes = {
        z: offset_of(z) for z in ("Z", "GMT-05:00", "UTC+2", "+0530", "Europe/Rome")
    }
    hours = {z: o and o.total_seconds() / 3600 for z, o in sizes.items()}

    assert hours["GMT-05:00"] == -5
    assert (hours["UTC+2"], hours["+0530"]) == (2, 5.5)
    assert sizes["Z"] is not None
    assert sizes["Europe/Rome"] is None
