"""Whole imports on real stores."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from services.errors import Forbidden, InvalidInput
from services.imports import ImportOptions
from tests.conftest import ADMIN, OPERATOR
from tests.services.imports.conftest import Desk

GERMAN = (
    "Zeit;time;Heater;TankTemperature(F);T_inlet [°C];flow_l_h;power (kW);mode\n"
    "a;09.03.2026 14:05:00;wh-1;120,5;12,5;60;4,5;Heat Pump\n"
    "b;09.03.2026 14:06:00;wh-1;888,8;-999,9;888,8;0;bogus\n"
    "c;13.02.2026 14:06:00;wh-2;NA;;-;---;off\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_one_table_reads_the_same_in_every_encoding(desk: Desk, encoding: str) -> None:
    """Decimal commas, units and day-first dates come out right in four encodings."""
    result = desk.run(desk.file("log.csv", GERMAN, encoding))

    assert (result.rows_read, result.taken, result.rejected) == (3, 3, 0)
    assert result.devices == ("wh-1", "wh-2")
    first = desk.stored("wh-1").iloc[0]
    assert first["ts"] == pd.Timestamp("2026-03-09 14:05:00")
    assert first["temperature_c"] == pytest.approx((120.5 - 32) / 1.8)
    assert first["inlet_temperature_c"] == 12.5
    assert first["flow_lpm"] == pytest.approx(1.0)
    assert first["power_w"] == 4500.0
    assert first["mode"] == "heat_pump"


def test_fault_codes_are_stored_and_flagged(desk: Desk) -> None:
    """888.8 in a Fahrenheit column stays 888.8, 888.8 L/h is a reading."""
    result = desk.run(desk.file("log.csv", GERMAN))

    second = desk.stored("wh-1").iloc[1]
    assert result.flagged == 1
    assert second["temperature_c"] == 888.8
    assert second["inlet_temperature_c"] == -999.9
    assert second["flow_lpm"] == pytest.approx(888.8 / 60)


def test_unknown_mode_is_dropped_and_counted(desk: Desk) -> None:
    """A word that is no mode costs its cell, not its row, and is named."""
    result = desk.run(desk.file("log.csv", GERMAN))

    assert pd.isna(desk.stored("wh-1").iloc[1]["mode"])
    assert "mode: 'bogus' is not known, left out of 1 rows" in result.notes


def test_every_row_is_taken_duplicate_or_rejected(desk: Desk) -> None:
    """The numbers add up, and each rejected row is in the file with its line."""
    text = (
        "ts,device_id,temperature_c\n"
        "2026-03-01T00:00:00Z,a,50\n"
        "2026-03-01T00:00:00Z,a,50\n"
        "yesterday,a,50\n"
        "2026-03-01T00:01:00Z,a,abc\n"
        "2026-03-01T00:02:00Z,,50\n"
        "2026-03-01T00:03:00Z,a,NA\n"
        "2026-03-01T00:04:00Z,a\n"
        "2026-03-01T00:05:00Z,a,50,1,2\n"
        "2027-03-01T00:05:00Z,a,50\n"
        "2026-02-01T00:00:00Z,a,51\n"
    )
    result = desk.run(desk.file("log.csv", text))

    assert result.rows_read == 10
    assert (result.taken, result.duplicates, result.rejected) == (2, 1, 7)
    lines = {int(row["line"]): row["reason"] for row in desk.refused()}
    assert lines == {
        4: "not a time",
        5: "temperature_c: not a number",
        6: "no device",
        7: "no values",
        8: "2 fields where the header has 3",
        9: "5 fields where the header has 3",
        10: "ts is more than 10 minutes in the future",
    }
    assert sum(count for _, count in result.reasons) == 7
    assert desk.refused()[0]["file"].endswith("log.csv")
    assert len(desk.stored("a")) == 2


def test_same_file_twice_changes_nothing(desk: Desk) -> None:
    """Importing again leaves the readings as they are."""
    path = desk.file("log.csv", GERMAN)
    desk.run(path)
    before = desk.stored("wh-1")
    desk.run(path)

    assert desk.stored("wh-1")["ts"].to_list() == before["ts"].to_list()


def test_clean_import_leaves_no_rejects_file(desk: Desk) -> None:
    """The rejects file exists only when a row was rejected."""
    result = desk.run(desk.file("log.csv", GERMAN))

    assert result.rejects_path is None
    assert not desk.rejects.exists()


def test_plan_writes_nothing(desk: Desk) -> None:
    """A plan stores no reading, registers no device and makes no file."""
    path = desk.file("log.csv", GERMAN)
    plan = desk.plan(path)

    assert plan.ready
    assert desk.stores.device_store.all() == []
    assert sorted(p.name for p in desk.folder.iterdir()) == ["log.csv"]
    (layout,) = plan.layouts
    assert (layout.dialect.delimiter, layout.decimal) == (";", ",")
    assert {c.column: (c.field, c.unit) for c in layout.columns} == {
        "Heater": ("device_id", ""),
        "TankTemperature(F)": ("temperature_c", "°F"),
        "T_inlet [°C]": ("inlet_temperature_c", "°C"),
        "flow_l_h": ("flow_lpm", "L/h"),
        "power (kW)": ("power_w", "kW"),
        "mode": ("mode", ""),
    }
    assert layout.unknown == ("Zeit",)


def test_three_hundred_files_are_one_import(desk: Desk) -> None:
    """Files without a device column take their names as ids; damage stops only one."""
    paths = [
        desk.file(
            f"h{i:03d}.csv", f"time,temp\n2026-01-{i % 28 + 1:02d} 10:00,5{i % 9}\n"
        )
        for i in range(300)
    ]
    paths.insert(7, desk.folder / "absent.csv")
    result = desk.run(*paths, device="site-{file}")

    assert (result.taken, len(result.devices)) == (300, 300)
    assert result.devices[0] == "site-h000"
    assert [f.problem for f in result.files if f.problem] == ["there is no such file"]
    assert {name for name, _, _ in desk.heard} == {str(p) for p in paths} - {
        str(desk.folder / "absent.csv")
    }
    assert all(0 <= done <= size for _, done, size in desk.heard)


def test_siblings_settle_the_order_of_dates(desk: Desk) -> None:
    """A file whose dates could be read both ways follows one of the same header."""
    open_ = desk.file("a.csv", "time,temp\n03/02/2026 10:00,50\n")
    clear = desk.file("b.csv", "time,temp\n25/02/2026 10:00,50\n")
    desk.run(open_, clear, device="{file}")

    assert desk.stored("a")["ts"][0] == pd.Timestamp("2026-02-03 10:00")


def test_json_lines_and_parquet_and_gzip(desk: Desk) -> None:
    """The same readings come from JSON lines, Parquet and compressed CSV."""
    frame = pd.DataFrame(
        {
            "ts": pd.to_datetime(["2026-02-01 10:00", "2026-02-01 10:01"]),
            "temperature_c": [50.5, None],
            "heating": [True, False],
        }
    )
    frame.to_parquet(desk.folder / "p.parquet")
    rows = [
        {"ts": 1769940000000, "values": {"temperature": 50.5, "heating": True}},
        {"ts": 1769940060000, "values": {"heating": "off"}},
    ]
    text = "\n".join([json.dumps(rows[0]), "{broken", json.dumps(rows[1])])
    desk.file("j.jsonl", text)
    desk.file("g.csv.gz", gzip.compress(frame.to_csv(index=False).encode()))
    names = ("p.parquet", "j.jsonl", "g.csv.gz")
    result = desk.run(*(desk.folder / n for n in names), device="{file}")

    columns = ["ts", "temperature_c", "heating"]
    stored = [desk.stored(i)[columns] for i in ("p", "j", "g")]
    assert result.taken == 6
    assert [(r["line"], r["reason"]) for r in desk.refused()] == [("2", "not JSON")]
    pd.testing.assert_frame_equal(stored[0], stored[1])
    pd.testing.assert_frame_equal(stored[0], stored[2])


def test_explicit_map_wins(desk: Desk) -> None:
    """A column named with --map is read as told; its rival is listed."""
    text = "when,temp,probe\n2026-03-01 10:00,20,140\n"
    path = desk.file("m.csv", text)
    options = {"device": "m", "maps": ("when=ts", "probe=temperature_c:F")}
    plan = desk.plan(path, **options)
    desk.run(path, **options)

    assert desk.stored("m")["temperature_c"][0] == pytest.approx(60.0)
    assert plan.layouts[0].unknown == ("temp",)
    assert any("the --map column, not from 'temp'" in n for n in plan.layouts[0].notes)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"maps": ("temp",)}, "COLUMN=field"),
        ({"maps": ("temp=temprature",)}, "temperature_c"),
        ({"maps": ("temp=temperature_c:psi",)}, "°C, °F, K"),
        ({"maps": ("time=ts", "temp=mode:C")}, "takes no unit"),
        ({"maps": ("nope=temperature_c",)}, "time"),
        ({"maps": ("temp=power_w", "time=power_w")}, "more than one"),
        ({"tz": "Mars/Base"}, "Europe/Berlin"),
        ({"device": "a b"}, "letters"),
    ],
)
def test_wrong_options_are_refused(
    desk: Desk, options: dict[str, object], word: str
) -> None:
    """A wrong option is an error that names what is allowed."""
    path = desk.file("m.csv", "time,temp\n2026-03-01 10:00,20\n")

    with pytest.raises(InvalidInput, match=word):
        desk.plan(path, **options)


def test_operator_may_not_import(desk: Desk) -> None:
    """Importing needs the rights to write readings and to register devices."""
    path = desk.file("m.csv", "time,temp\n2026-03-01 10:00,20\n")
    plan = desk.plan(path, device="m")

    with pytest.raises(Forbidden):
        desk.imports.plan(OPERATOR, [path], ImportOptions())
    with pytest.raises(Forbidden):
        desk.imports.run(OPERATOR, plan, desk.rejects, lambda *_: None)


def test_rejects_never_overwrite_an_input(desk: Desk) -> None:
    """A rejects path that is one of the files is refused, the file stays."""
    path = desk.file("m.csv", "time,temp\nsoon,20\n2026-03-01 10:00,20\n")
    plan = desk.plan(path, device="m")

    with pytest.raises(InvalidInput, match="name another"):
        desk.imports.run(ADMIN, plan, path, lambda *_: None)
    assert path.read_text().startswith("time,temp")


def test_no_file_is_an_error(desk: Desk) -> None:
    """An import of nothing is refused."""
    with pytest.raises(InvalidInput):
        desk.imports.plan(ADMIN, [], ImportOptions())


def test_ids_with_odd_characters_are_stored_and_named(desk: Desk) -> None:
    """An id as written gets a stored form; two that would be one are refused."""
    text = "time,device,temp\n" + "".join(
        f"2026-03-01 10:0{i},{name},50\n"
        for i, name in enumerate(["WH 01", "WH-01", "00:1B:44", "°"])
    )
    result = desk.run(desk.file("m.csv", text))

    assert result.devices == ("00-1B-44", "WH-01")
    assert "device 'WH 01' is stored as WH-01" in result.notes
    assert [row["line"] for row in desk.refused()] == ["3", "5"]


def test_large_import_goes_in_bounded_batches(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks and batches meet at their seams: every row arrives once, in its file."""
    monkeypatch.setattr("services.imports.reading.CHUNK_ROWS", 700)
    monkeypatch.setattr("services.imports.running.BATCH_ROWS", 1_500)
    times = pd.date_range("2026-01-01", periods=5_000, freq="min")
    frame = pd.DataFrame({"time": times, "device": "a", "temp": 50.0})
    frame.loc[4_321, "time"] = pd.Timestamp("2027-01-01")
    path = desk.folder / "big.csv"
    frame.to_csv(path, index=False)
    result = desk.run(path)

    assert (result.rows_read, result.taken, result.rejected) == (5_000, 4_999, 1)
    assert [row["line"] for row in desk.refused()] == ["4323"]
    assert len(desk.stored("a")) == 4_999
