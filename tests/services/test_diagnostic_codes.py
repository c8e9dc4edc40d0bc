"""Diagnostic codes: the catalogue, and what a heater has reported."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from data.code_lake import CodeLake
from data.records import Device
from services.diagnostic_codes import CATALOGUE, DiagnosticCodes, lookup, table
from services.health import SEVERITIES
from services.tank.sensors import ERROR_CODES
from tests.conftest import NOW, SYSTEM, VIEWER, Stores, readings


@pytest.fixture
def codes(stores: Stores) -> DiagnosticCodes:
    """The service on real stores."""
    lake = CodeLake(stores.reader, stores.hot)
    return DiagnosticCodes(stores.devices, stores.metrics, lake, stores.clock)


def send(stores: Stores, device: Device, minutes_ago: int, *said: str | None) -> None:
    """Minutely readings, each with a code."""
    start = NOW - timedelta(minutes=minutes_ago)
    frame = readings(device.id, start, len(said))
    frame["temperature_c"] = 50 + np.arange(len(said)) / 10
    frame["error_code"] = list(said)
    stores.telemetry.accept(SYSTEM, frame)


def test_the_simulators_codes_mean_what_it_means() -> None:
    """The catalogue has every code of the simulated heaters, in the same words."""
    assert {c: CATALOGUE[c].meaning for c in ERROR_CODES} == dict(ERROR_CODES)


def test_every_row_is_whole_and_in_the_page() -> None:
    """Meaning, advice and a known urgency; names are unique."""
    assert len({row.name for row in CATALOGUE.values()}) == len(CATALOGUE) == 10
    for row in CATALOGUE.values():
        assert row.meaning
        assert row.todo.endswith(".")
        assert row.urgency in SEVERITIES
        assert f"`{row.code}`" in table()


def test_a_code_or_its_name_is_found_and_others_are_unknown() -> None:
    """Case and blanks do not matter; what is not in the list stays unknown."""
    assert lookup(" e21 ") == CATALOGUE["E21"]
    assert lookup("Dry fire") == CATALOGUE["E12"]
    assert lookup("F7-90") is None


def test_codes_are_counted_by_how_often_they_came_up(
    codes: DiagnosticCodes, stores: Stores, heater: Device
) -> None:
    """Two spells are two times, over lake and hot table; ``ok`` is no code."""
    send(stores, heater, 60, None, "E21", "E21", "ok", "E21", None)
    stores.flush()
    send(stores, heater, 2, "X9", "X9")
    view = codes.of(VIEWER, heater.id)

    assert view.present == "X9"
    assert view.known is None
    found = {r.count.code: r for r in view.reported}
    assert list(found) == ["X9", "E21"]
    assert (found["E21"].count.times, found["E21"].count.readings) == (2, 3)
    assert found["E21"].known == CATALOGUE["E21"]
    assert found["E21"].count.first == NOW - timedelta(minutes=59)


def test_no_code_and_no_reading_are_two_answers(
    codes: DiagnosticCodes, stores: Stores, heater: Device
) -> None:
    """A silent heater tells nothing; a code that is over is not present."""
    assert codes.of(VIEWER, heater.id).present_at is None
    send(stores, heater, 3, "E30", None, "0")
    view = codes.of(VIEWER, heater.id)

    assert view.present is None
    assert view.present_at is not None
    assert [r.count.code for r in view.reported] == ["E30"]
