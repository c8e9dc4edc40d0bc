"""Time ranges are read as documented, whatever is written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidInput
from services.windows import (
    Window,
    days_before,
    local_days,
    moment,
    parse,
    previous,
    shift_days,
)

BERLIN = ZoneInfo("Europe/Berlin")
PLAIN = ZoneInfo("UTC")
NOW = datetime(2026, 3, 31, 12, 34, 56, tzinfo=UTC)
ZONES = st.sampled_from(
    [ZoneInfo(z) for z in ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York",
                           "Australia/Lord_Howe", "Pacific/Apia")]
)  # fmt: skip
MOMENTS = st.datetimes(
    datetime(2001, 1, 1),  # noqa: DTZ001 - the strategy adds the zone
    datetime(2190, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def at(text: str, zone: ZoneInfo = BERLIN, now: datetime = NOW) -> datetime:
    """The time a text means."""
    return moment(text, "from", now, zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-31T12:34:56"),
        ("now-24h", "2026-03-30T12:34:56"),
        ("now-7d", "2026-03-24T13:34:56"),
        ("now/d", "2026-03-30T22:00:00"),
        ("now-1d/d", "2026-03-29T22:00:00"),
        ("now-2d/d", "2026-03-28T23:00:00"),
        ("now/h", "2026-03-31T12:00:00"),
        ("now/w", "2026-03-29T22:00:00"),
        ("now/M", "2026-02-28T23:00:00"),
        ("now-1M", "2026-02-28T13:34:56"),
        ("now-1y/y", "2024-12-31T23:00:00"),
        ("now/d+6h", "2026-03-31T04:00:00"),
        ("2026-03-10", "2026-03-09T23:00:00"),
        ("2026-03-10T14:30", "2026-03-10T13:30:00"),
        ("2026-03-10T14:30Z", "2026-03-10T14:30:00"),
        ("2026-03-10T14:30:00+05:30", "2026-03-10T09:00:00"),
        ("2026-03-10T14:30:00 05:30", "2026-03-10T09:00:00"),
    ],
)
def test_each_form_means_one_moment(text: str, expected: str) -> None:
    """Relative, rounded and ISO forms give the UTC time worked out by hand."""
    assert at(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_yesterday_is_the_same_wall_time_across_daylight_saving() -> None:
    """``now-1d`` is 23 hours ago on the day after the clocks went forward."""
    now = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)

    assert now - at("now-1d", now=now) == timedelta(hours=23)
    assert now - at("now-24h", now=now) == timedelta(hours=24)


@pytest.mark.parametrize(
    "text",
    ["", " ", "nowish", "now-", "now-7x", "now/q", "-7d", "yesterday", "2026-13-01",
     "2026-02-30", "1e9", "NaN", "9" * 500, "now-9999999d", "2026-03-10T25:00", "\x00"],
)  # fmt: skip
def test_what_is_no_time_is_named(text: str) -> None:
    """Anything else is refused with the name of the bound and what may be written."""
    with pytest.raises(InvalidInput, match=r"from=.* is not a time\. Write an ISO"):
        at(text)


@pytest.mark.parametrize(
    "text", ["now-999y", "now+999y", "1999-12-31T22:59Z", "0001-01-01", "9999-12-31"]
)
def test_times_far_away_are_refused(text: str) -> None:
    """A time outside 2000 to 2199, or one that no calendar has, is refused."""
    with pytest.raises(InvalidInput, match="from="):
        at(text)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("now", "now-1d", "before it begins: from=now is .* to=now-1d is"),
        ("now/d", "now/d", "ends where it begins"),
        ("now-401d", "now", r"401 days long; the longest allowed is 400 days"),
        ("now-1d", "then", "to=then is not a time"),
    ],
)
def test_range_that_cannot_be_is_named(start: str, end: str, message: str) -> None:
    """Reversed, empty and giant ranges say what is wrong and which limit it is."""
    with pytest.raises(InvalidInput, match=message):
        parse(start, end, NOW, BERLIN, 400)


def test_longest_range_is_counted_in_calendar_days() -> None:
    """A limit of 7 days takes ``now-7d`` in a week of 169 hours."""
    now = datetime(2026, 10, 26, 12, 0, tzinfo=UTC)

    window = parse("now-7d", "now", now, BERLIN, 7)

    assert window.length == timedelta(hours=169)


def test_nothing_written_means_the_last_seven_days() -> None:
    """Missing and empty bounds are those of the default range."""
    window = parse(None, "", NOW, PLAIN, 400)

    assert (window.text_from, window.text_to) == ("now-7d", "now")
    assert window.end == NOW
    assert window.length == timedelta(days=7)


@pytest.mark.parametrize(
    ("start", "days"),
    [("now-1h", 1), ("now-24h", 1), ("now-36h", 2), ("now-7d", 7), ("now-8d", 14),
     ("now-14d", 14), ("now-30d", 35)],
)  # fmt: skip
def test_previous_range_lines_up(start: str, days: int) -> None:
    """A shorter range moves by whole days, one of a week or more by whole weeks."""
    assert shift_days(parse(start, "now", NOW, PLAIN, 400), PLAIN) == days


def test_local_days_have_23_and_25_hours() -> None:
    """The edges of local days keep to midnight when the clocks change."""
    spring = local_days(
        datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC), BERLIN
    )
    autumn = local_days(
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 10, 25, 20, tzinfo=UTC),
        BERLIN,
    )

    hours = [(b - a) / timedelta(hours=1) for a, b in pairwise(spring)]
    assert hours == [24, 23, 24]
    assert autumn[1] - autumn[0] == timedelta(hours=25)


@given(start=MOMENTS, hours=st.floats(0.01, 9_000), zone=ZONES)
def test_previous_range_ends_before_and_keeps_wall_times(
    start: datetime, hours: float, zone: ZoneInfo
) -> None:
    """The range compared with never overlaps, and has the same wall times."""
    window = Window(start, start + timedelta(hours=hours), "", "")
    days = shift_days(window, zone)

    before = previous(window, zone)

    hour = timedelta(hours=1)
    assert before.end <= window.start + hour
    assert before.start == days_before(window.start, days, zone)
    assert abs(before.length - window.length) <= hour * 25
    assert days < 7 or days % 7 == 0


@given(text=st.text(max_size=80), zone=ZONES)
def test_any_text_is_a_time_or_refused(text: str, zone: ZoneInfo) -> None:
    """No text leads to anything but a moment in range or ``InvalidInput``."""
    try:
        when = at(text, zone)
    except InvalidInput as error:
        assert "from=" in str(error)
    else:
        assert when.tzinfo is UTC


@given(
    steps=st.lists(
        st.from_regex(r"[+-][0-9]{1,6}[smhdwMy]|/[smhdwMy]", fullmatch=True), max_size=4
    ),
    end=st.sampled_from(["now", "now/d", "now+1d"]),
    zone=ZONES,
    now=MOMENTS,
)
def test_any_steps_give_a_range_within_the_limit(
    steps: list[str], end: str, zone: ZoneInfo, now: datetime
) -> None:
    """Whatever the steps, a range that is taken is forward and at most as long."""
    try:
        window = parse("now" + "".join(steps), end, now, zone, 400)
    except InvalidInput:
        return
    assert window.start < window.end
    assert window.length <= timedelta(days=400, hours=25)


@given(when=MOMENTS, zone=ZONES, unit=st.sampled_from("smhdwMy"))
def test_rounding_goes_down_and_is_stable(
    when: datetime, zone: ZoneInfo, unit: str
) -> None:
    """Rounding never moves forward, and rounding twice is rounding once."""
    once = moment(f"now/{unit}", "from", when, zone)

    assert once <= when
    assert moment(f"now/{unit}", "from", once, zone) == once
