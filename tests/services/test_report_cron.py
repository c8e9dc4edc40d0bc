"""When schedules run: presets, cron fields, and the days the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidInput
from services.reports import cron

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
    "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "America/Sao_Paulo",
)  # fmt: skip
SECONDS = st.integers(1_200_000_000, 2_080_000_000)
STARTS = SECONDS.map(lambda second: datetime.fromtimestamp(second, UTC))


def local(text: str, zone: ZoneInfo, after: datetime, count: int) -> list[str]:
    """The next times as wall times with their offset."""
    found = islice(cron.times_after(text, zone, after), count)
    return [moment.astimezone(zone).isoformat() for moment in found]


def test_a_time_that_is_left_out_runs_at_the_first_moment_after():
    """02:30 on the day that begins summer time is 03:00, and 02:30 the day after."""
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert local("30 2 * * *", BERLIN, after, 2) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_time_that_comes_twice_runs_once():
    """02:30 on the day that ends summer time is the first of the two."""
    after = datetime(2026, 10, 24, 12, tzinfo=UTC)

    assert local("30 2 * * *", BERLIN, after, 2) == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # the second 02:10
    assert local("30 2 * * *", BERLIN, between, 1) == ["2026-10-26T02:30:00+01:00"]


def test_a_day_that_a_zone_leaves_out_runs_at_its_end():
    """Samoa had no 30 December 2011: its 02:30 is the midnight after."""
    after = datetime(2011, 12, 29, 13, tzinfo=UTC)

    assert local("30 2 * * *", ZoneInfo("Pacific/Apia"), after, 2) == [
        "2011-12-31T00:00:00+14:00",
        "2011-12-31T02:30:00+14:00",
    ]


@given(
    zone=st.sampled_from(ZONES),
    start=STARTS,
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
)
def test_a_daily_time_comes_once_for_each_local_day(zone, start, hour, minute):
    """Whatever the clocks do, each local day has its run, at its wall time if it
    exists, and at the first moment after the gap if it does not."""
    place = ZoneInfo(zone)
    found = list(islice(cron.times_after(f"{minute} {hour} * * *", place, start), 400))

    assert all(a < b for a, b in pairwise(found))
    assert found[0] > start
    walls = [moment.astimezone(place).replace(tzinfo=None) for moment in found]
    for moment, wall in zip(found, walls, strict=True):
        if (wall.hour, wall.minute) != (hour, minute):
            before = moment - timedelta(seconds=1)
            jump = moment.astimezone(place).utcoffset()
            assert before.astimezone(place).utcoffset() != jump
        assert moment.astimezone(place).fold == 0
    assert abs((walls[-1] - walls[0]) / timedelta(days=1) - 399) <= 1


@given(zone=st.sampled_from(ZONES), start=STARTS, late=st.integers(0, 40 * 24 * 3600))
def test_missed_counts_what_lies_between(zone, start, late):
    """The latest due time and the number before it are those of a plain walk."""
    place, text = ZoneInfo(zone), "15 3 * * *"
    first = cron.next_after(text, place, start)
    assert first is not None
    now = first + timedelta(seconds=late)
    walked = [first]
    for moment in cron.times_after(text, place, first):
        if moment > now:
            break
        walked.append(moment)

    assert cron.missed(text, place, first, now) == (walked[-1], len(walked) - 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("* * * * *", "more often"),
        ("*/30 6 * * *", "more often"),
        ("0 0 30 2 *", "not right"),
        ("61 0 * * *", "not right"),
        ("0 6 * *", "five fields"),
        ("0 6 * * * *", "five fields"),
        ("a b c d e", "not right"),
        ("0 6 * * 1; rm", "five fields"),
        ("0 " * 60, "five fields"),
    ],
)
def test_what_is_no_schedule_is_refused(text, words):
    """A wrong, impossible or restless schedule is refused in words."""
    with pytest.raises(InvalidInput, match=words):
        cron.checked(text, "UTC")


def test_an_unknown_zone_is_refused():
    """A zone that does not exist is named as such."""
    with pytest.raises(InvalidInput, match="IANA"):
        cron.checked("0 6 * * 1", "Mars/Olympus")


@given(text=st.text(max_size=90))
def test_any_text_is_a_schedule_or_refused(text):
    """No text does anything but be five fields or be refused."""
    try:
        found = cron.checked(text, "Europe/Berlin")
    except InvalidInput:
        return
    assert cron.next_after(found, BERLIN, datetime(2026, 1, 1, tzinfo=UTC))


def test_presets_are_cron_fields_and_words():
    """Daily, weekly and monthly presets say what they are."""
    assert cron.preset("daily", "06:30") == "30 6 * * *"
    assert cron.preset("weekly", "06:00", day="tue") == "0 6 * * 2"
    assert cron.preset("monthly", "00:05", date=28) == "5 0 28 * *"
    assert cron.words("30 6 * * *") == "Every day at 06:30"
    assert cron.words("0 6 * * MON") == "Every Monday at 06:00"
    assert cron.words("5 0 28 * *") == "On day 28 of each month at 00:05"
    assert cron.words("0 6 1 1 *") == "cron 0 6 1 1 *"
    for wrong in (
        ("hourly", "06:00", "mon", 1),
        ("daily", "25:00", "mon", 1),
        ("weekly", "06:00", "noday", 1),
        ("monthly", "06:00", "mon", 31),
    ):
        with pytest.raises(InvalidInput):
            cron.preset(*wrong)
