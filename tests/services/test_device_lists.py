"""Lists of heaters: what is read, what is refused and why, all or nothing."""

from __future__ import annotations

from datetime import date
from unittest import mock

import pytest

from data.records import Device
from services.device_lists import MOST_BYTES, MOST_ROWS, DeviceLists
from services.errors import Conflict, Forbidden, InvalidInput, TooLarge
from tests.conftest import ADMIN, OPERATOR, VIEWER, Stores

LIST = """\
Device ID;Name;Make;Serial no.;Type;Capacity;Rated power (W);Installed;Modes;Valve
a-1;Attic;Acme;S1;heat pump;150,5;2400;2025-01-31;eco, heat-pump;x
a-2;;;;;;;;;
"""


@pytest.fixture
def lists(stores: Stores) -> DeviceLists:
    """The service on an empty register."""
    return DeviceLists(stores.devices, stores.device_store)


def test_a_spreadsheet_is_read(lists: DeviceLists) -> None:
    """Other names of columns, decimal commas, words of modes; empty = not stated."""
    plan = lists.plan(ADMIN, LIST.encode())

    assert plan.devices == (
        Device(
            id="a-1", name="Attic", manufacturer="Acme", serial="S1", type="heat_pump",
            capacity_l=150.5, rated_power_w=2400.0, installed_on=date(2025, 1, 31),
            modes=("eco", "heat_pump"), life_cycle="pending",
        ),
        Device(id="a-2", name="a-2", life_cycle="pending"),
    )  # fmt: skip
    assert plan.refused == ()
    assert plan.ignored == ("Valve",)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("id", "a b", "1 to 64"), ("name", "n" * 121, "longer than 120"),
        ("capacity_l", "much", "no number"), ("capacity_l", "1,200", "a thousand or"),
        ("capacity_l", "0", "must lie in"), ("capacity_l", "inf", "no number"),
        ("reporting_interval_s", "1.5", "whole number"), ("type", "steam", "one of"),
        ("installed_on", "31.01.2025", "no date"), ("mixing_valve", "maybe", "neither"),
        ("modes", "eco turbo", "'turbo' is none"), ("life_cycle", "gone", "pending or"),
        ("life_cycle", "removed", "pending or active"), ("latitude", "91", "must lie"),
    ],
)  # fmt: skip
def test_a_wrong_cell_refuses_its_row_only(
    lists: DeviceLists, column: str, cell: str, words: str
) -> None:
    """The row is named as the spreadsheet counts, with the reason; others are good."""
    ids = "" if column == "id" else "id;"
    first, second = ("", "") if column == "id" else ("x;", "ok;")
    text = f"{ids}{column}\n{first}{cell}\n\n{second or 'ok'}\n"
    if column == "id":
        text = f"id;name\n{cell};\n\nok;\n"
    plan = lists.plan(ADMIN, text.encode())

    assert [row.row for row in plan.refused] == [2]
    assert words in plan.refused[0].reason
    assert [device.id for device in plan.devices] == ["ok"]


def test_ids_that_are_taken_are_refused_as_such(
    lists: DeviceLists, stores: Stores
) -> None:
    """Registered, removed and repeated ids each say so."""
    stores.add(
        Device(id="here", name="H"), Device(id="gone", name="G", life_cycle="removed")
    )
    plan = lists.plan(ADMIN, b"id,room\nhere,1\ngone,2\nnew,3\nnew,4\n")

    assert [(r.row, r.device_id, r.reason) for r in plan.refused] == [
        (2, "here", "exists already"),
        (3, "gone", "the id was used by a removed device"),
        (5, "new", "the id stands in row 4 already"),
    ]
    assert [(d.id, d.room) for d in plan.devices] == [("new", "3")]


def test_good_rows_are_registered_with_audit_and_event(
    lists: DeviceLists, stores: Stores
) -> None:
    """The same as registering each in the form."""
    lists.register(ADMIN, b"id,life_cycle\na,active\nb,\nc d,\n")

    assert [(d.id, d.life_cycle) for d in stores.devices.list(ADMIN)] == [
        ("a", "active"),
        ("b", "pending"),
    ]
    assert [line.subject for line in stores.audit.lines(ADMIN)] == ["b", "a"]
    assert stores.device_store.events("a")[1] == 1


def test_nothing_is_half_done(lists: DeviceLists, stores: Stores) -> None:
    """An id taken between preview and press refuses the list; nothing is registered."""
    with mock.patch.object(stores.device_store, "life_cycles", return_value={}):
        stores.add(Device(id="b", name="B"))
        with pytest.raises(Conflict):
            lists.register(ADMIN, b"id\na\nb\nc\n")

    assert [device.id for device in stores.devices.list(ADMIN)] == ["b"]
    assert stores.audit.lines(ADMIN) == ()


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (b"", InvalidInput, "empty"), (b"\n\n", InvalidInput, "empty"),
        (b"name\nx\n", InvalidInput, "needs a column id"),
        (b"id,device id\n1,2\n", InvalidInput, "Two columns are id"),
        (b"PK\x03\x04zip", InvalidInput, "save the sheet as CSV"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(32)) * 9, InvalidInput, "cannot be read"),
        (b"id\n" + b"x\n" * (MOST_ROWS + 1), TooLarge, "rows"),
        (b"id\n" + b"x" * MOST_BYTES, TooLarge, "700 kB"),
        (b'id\n"' + b"x" * 200_000, InvalidInput, "no CSV"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused(
    lists: DeviceLists, raw: bytes, error: type[Exception], words: str
) -> None:
    """The message says what is wrong with the file."""
    with pytest.raises(error, match=words):
        lists.plan(ADMIN, raw)


def test_a_list_without_a_good_row_is_refused(lists: DeviceLists) -> None:
    """There is nothing to register."""
    with pytest.raises(InvalidInput, match="no heater"):
        lists.register(ADMIN, b"id\na b\n")


def test_more_cells_than_names_are_a_reason(lists: DeviceLists) -> None:
    """A row that has slipped is not read into the wrong columns unseen."""
    plan = lists.plan(ADMIN, b"id,name\na,A,B\nb,B,\n")

    assert "more cells" in plan.refused[0].reason
    assert [device.id for device in plan.devices] == ["b"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_spreadsheets_are_read(lists: DeviceLists, encoding: str) -> None:
    """Umlauts survive whatever the spreadsheet wrote."""
    plan = lists.plan(ADMIN, "id\tname\na\tKüche\n".encode(encoding))

    assert plan.devices[0].name == "Küche"


def test_only_an_admin_reads_or_registers(lists: DeviceLists) -> None:
    """Others are refused before the file is looked at."""
    for who in (VIEWER, OPERATOR):
        for act in (lists.plan, lists.register):
            with pytest.raises(Forbidden):
                act(who, b"id\na\n")
