"""What devices' messages say, and that no bytes whatever make the parser raise."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.records import METRICS, READING_COLUMNS
from services.batches import frame_of
from services.courier_desk import Answer, Presence, Report
from services.incoming import check
from services.message_rows import MOST_ROWS, Readings
from services.messages import MOST_BYTES, Rejected, read
from tests.conftest import NOW

CASES = int(os.environ.get("IOTSPHERE_FUZZ_CASES", "2000"))
OURS = "iot/v1/wh-1/telemetry"
THEIRS = "v1/devices/wh-1/telemetry"
AT = "2026-03-10T11:59:00+00:00"


def said(topic: str, body: object) -> object:
    """What a message with this JSON says."""
    return read(topic, json.dumps(body).encode(), NOW)


def why(topic: str, body: object) -> str:
    """Why a message is rejected."""
    parsed = said(topic, body)
    assert isinstance(parsed, Rejected), parsed
    return parsed.reason


@pytest.mark.parametrize(
    ("place", "body", "expected"),
    [
        (
            "birth",
            {"session": 7, "capabilities": {"firmware": "1.2"}},
            Presence("wh-1", True, NOW, 7, {"firmware": "1.2"}),
        ),
        ("status", {"online": False, "session": 7}, Presence("wh-1", False, NOW, 7)),
        ("status", {"online": True}, Presence("wh-1", True, NOW, 0)),
        ("cmd/ack", {"id": 5, "state": "accepted"}, Answer("wh-1", 5, True)),
        (
            "cmd/ack",
            {"id": 5, "state": "refused", "reason": "x" * 999},
            Answer("wh-1", 5, False, "x" * 200),
        ),
        (
            "reported",
            {"version": 3, "session": 7, "seq": 9, "ts": AT, "state": {"power": True}},
            Report("wh-1", {"power": True}, NOW - timedelta(minutes=1), 3, 7, 9),
        ),
        ("reported", {"state": {}}, Report("wh-1", {}, NOW)),
    ],
)
def test_each_topic_says_its_thing(place: str, body: object, expected: object) -> None:
    """Birth, status, answer and report become what the courier takes."""
    assert said(f"iot/v1/wh-1/{place}", body) == expected


def test_readings_come_one_by_one_or_as_a_list() -> None:
    """An object is one reading, a list is several, and the topic names the device."""
    one = {"ts": AT, "temperature_c": 55.5, "mode": "eco", "heating": True}

    assert said(OURS, one) == Readings("wh-1", [{"device_id": "wh-1", **one}])
    several = said(OURS, [one, {"ts": 1, "power_w": 1, "device_id": "wh-1"}])
    assert isinstance(several, Readings)
    assert [row["ts"] for row in several.rows] == [AT, 1]


def test_one_bad_reading_does_not_hold_back_the_others() -> None:
    """A row that cannot be taken is named with its place; the rest is taken."""
    good = {"ts": AT, "power_w": 3}
    rows = [good, 5, {"ts": AT, "power_w": "3"}, {"ts": AT, "power_w": True}, good]

    parsed = said(OURS, rows)

    assert isinstance(parsed, Readings)
    assert len(parsed.rows) == 2
    assert parsed.refused == [
        (1, "a reading is not an object"),
        (2, "power_w is not a number"),
        (3, "power_w is not a number"),
    ]


def test_values_nobody_knows_are_named() -> None:
    """An unknown value is left out and reported by its name; the reading is taken."""
    parsed = said(OURS, {"ts": AT, "power_w": 3, "rssi": -70, "x" * 99: {"a": 1}})

    assert parsed == Readings(
        "wh-1",
        [{"device_id": "wh-1", "ts": AT, "power_w": 3}],
        unknown=["rssi", "x" * 40],
    )


@pytest.mark.parametrize(
    ("body", "ts"),
    [
        ({"ts": 1_773_144_000_500, "values": {"power_w": 3}}, 1_773_144_000_500),
        ({"ts": 5_000, "values": {"power_w": 3}}, 5.0),
        ({"power_w": 3}, NOW.isoformat()),
        ([{"power_w": 3}], NOW.isoformat()),
    ],
)
def test_thingsboard_form_is_taken(body: object, ts: object) -> None:
    """Times are milliseconds, whatever their size; values alone are of now."""
    assert said(THEIRS, body) == Readings(
        "wh-1", [{"device_id": "wh-1", "power_w": 3, "ts": ts}]
    )


def test_thingsboard_times_are_numbers() -> None:
    """A time in text is none in ThingsBoard's form."""
    parsed = said(THEIRS, {"ts": AT, "values": {"power_w": 3}})

    assert isinstance(parsed, Readings)
    assert parsed.refused == [(0, "ts is not a number of milliseconds")]


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "iot/v1/wh-1",
        "iot/v1/wh-1/desired",
        "iot/v1/wh-1/telemetry/x",
        "iot/v1//telemetry",
        "iot/v1/wh 1/telemetry",
        "iot/v1/wh-1\n/telemetry",
        "iot/v2/wh-1/telemetry",
        "iot/v1/" + "a" * 65 + "/telemetry",
        "v1/devices/w+h/telemetry",
        "v1/devices/wh-1/attributes",
    ],
)
def test_other_topics_are_rejected(topic: str) -> None:
    """What is not one of our topics with a device's id says nothing."""
    assert "topic" in why(topic, {"ts": AT, "power_w": 1})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"ts": 1, "power_w": NaN}', "not JSON"),
        (b'{"ts": 1, "power_w": Infinity}', "not JSON"),
        (b'{"ts": 1, "power_w": 1e999}', "not JSON"),
        (b'{"ts": 1, "mode": "\\ud800"}', "not JSON"),
        (b'{"ts": 1, "mode": "a\\u0000"}', "NUL"),
        (b"[" * 60_000, "not JSON"),
        (b"[" * 33 + b"]" * 33, "nested deeper than 32"),
        (b" " * (MOST_BYTES + 1), "larger than 65536 bytes"),
        (b"[]", "no reading"),
        (b"[" + b",".join([b"{}"] * (MOST_ROWS + 1)) + b"]", "more than 1000"),
    ],
)
def test_bytes_that_are_no_message_are_rejected(payload: bytes, reason: str) -> None:
    """Each kind of unreadable bytes is rejected with a reason that names it."""
    parsed = read(OURS, payload, NOW)

    assert isinstance(parsed, Rejected)
    assert reason in parsed.reason


@pytest.mark.parametrize(
    ("place", "body", "reason"),
    [
        ("birth", [], "not an object"),
        ("birth", {}, "session is not a whole number"),
        ("birth", {"session": True}, "session is not a whole number"),
        ("birth", {"session": -1}, "session is not a whole number"),
        ("birth", {"session": 2**64}, "session is not a whole number"),
        ("birth", {"session": 1, "capabilities": 1}, "capabilities"),
        ("birth", {"session": 1, "capabilities": {"a": "b" * 9_000}}, "8192 bytes"),
        ("birth", {"session": 1, "device_id": "wh-2"}, "the one of the topic"),
        ("status", {"online": "true"}, "online is not true or false"),
        ("cmd/ack", {"id": True, "state": "accepted"}, "id is not a whole number"),
        ("cmd/ack", {"id": 1.0, "state": "accepted"}, "id is not a whole number"),
        ("cmd/ack", {"id": 1, "state": "done"}, "accepted or refused"),
        ("cmd/ack", {"id": 1, "state": "refused", "reason": 1}, "reason is not text"),
        ("reported", {"state": 1}, "state is not an object"),
        ("reported", {"state": {"colour": 1}}, "state has none of"),
        ("reported", {"state": {"power": 1}}, "power is not true or false"),
        ("reported", {"state": {"mode": "hot"}}, "mode is not one of"),
        ("reported", {"state": {"firmware": "x" * 201}}, "text of at most 200"),
        ("reported", {"state": {"firmware": {}}}, "text of at most 200"),
        ("reported", {"state": {"target_temperature_c": "55"}}, "number of °C"),
        ("reported", {"state": {"target_temperature_c": True}}, "number of °C"),
        ("reported", {"state": {"away_until": "soon"}}, "away_until is not a time"),
        ("reported", {"state": {"away_until": True}}, "not a time or false"),
        ("reported", {"state": {}, "seq": 2**53}, "seq is not a whole number"),
        ("reported", {"state": {}, "ts": "soon"}, "ts is not a time"),
        ("reported", {"state": {}, "ts": True}, "ts is not a time"),
        ("reported", {"state": {}, "ts": 1e300}, "ts is not a time"),
    ],
)
def test_what_cannot_be_meant_is_rejected(
    place: str, body: object, reason: str
) -> None:
    """A field of the wrong kind or size rejects the message, and is named."""
    assert reason in why(f"iot/v1/wh-1/{place}", body)


def test_reported_values_have_the_form_of_wishes() -> None:
    """Times in any zone, null and unknown keys come to what a wish would hold."""
    state = {
        "away_until": "2026-03-11T13:00:00.5+01:00",
        "boost_until": None,
        "target_temperature_c": 55,
        "mode": None,
        "wifi": "on",
    }

    report = said("iot/v1/wh-1/reported", {"state": state})

    assert isinstance(report, Report)
    assert report.state == {
        "target_temperature_c": 55.0,
        "away_until": "2026-03-11T12:00:00+00:00",
        "boost_until": False,
    }


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["eco", AT, "0001-01-01", "9999-12-31T23:59:59-23:59", "\x00"])
    | st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
)
names = st.sampled_from(
    [*READING_COLUMNS, "state", "session", "seq", "version", "id", "values", "online",
     "capabilities", "reason", "away_until", "power", "firmware"]
) | st.text(max_size=8)  # fmt: skip
bodies = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6)
    ),
    max_leaves=12,
)
topics = st.builds(
    "{}/{}/{}".format,
    st.sampled_from(["iot/v1", "v1/devices", "x"]),
    st.sampled_from(["wh-1", "a" * 64, "", "ä", "../x"]),
    st.sampled_from(
        ["birth", "telemetry", "status", "reported", "cmd/ack", "cmd", "x/y"]
    ),
) | st.text(max_size=20)


def broken(body: object, cut: int, flip: int) -> bytes:
    """The body's JSON, whole or cut and with one bit turned."""
    raw = bytearray(json.dumps(body).encode("utf-8", "surrogatepass"))
    if flip >= 0 and raw:
        raw[flip % len(raw)] ^= 1 << flip % 8
    return bytes(raw[: max(0, len(raw) - cut)])


payloads = st.binary(max_size=60) | st.builds(
    broken, bodies, st.sampled_from([0, 0, 0, 1, 5]), st.integers(-40, 200)
)


@pytest.mark.timeout(max(600, CASES // 10))
@settings(
    max_examples=CASES,
    deadline=None,
    derandomize=CASES == 2000,
    suppress_health_check=list(HealthCheck),
)
@given(topic=topics, payload=payloads)
def test_no_bytes_make_the_parser_raise(topic: str, payload: bytes) -> None:
    """Every message is taken or rejected, and what is taken can be stored."""
    parsed = read(topic, payload, NOW)

    if isinstance(parsed, Rejected):
        assert 0 < len(parsed.reason) <= 300
    elif isinstance(parsed, Readings):
        assert all(set(row) <= set(READING_COLUMNS) for row in parsed.rows)
        storable(parsed)
    else:
        text = orjson.dumps(getattr(parsed, "state", getattr(parsed, "birth", None)))
        assert len(text) < MOST_BYTES


def storable(parsed: Readings) -> None:
    """Rows become a frame, and every row of it is fit to store or named."""
    if not parsed.rows:
        return
    frame = frame_of(parsed.rows, MOST_ROWS)
    known = {parsed.device_id: "active"}
    checked = check(frame, known, NOW, NOW - timedelta(days=400), False)
    assert len(checked.rows) + checked.duplicates + len(checked.rejected) == len(frame)
    for metric in METRICS:
        assert checked.rows[metric].dropna().abs().lt(1.1e300).all()
