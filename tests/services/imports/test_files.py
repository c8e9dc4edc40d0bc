"""Files as they come: ragged, cut off, binary, without a header."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from services.imports.sniffing import sniff
from tests.services.imports.conftest import Desk

HEAD = "time,device,temp\n"
ROW = "2026-02-01 10:00:00,a,50\n"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("nul.csv", b"\0" * 5000, "the file is empty"),
        ("head.csv", HEAD.encode(), "there is a header but no row below it"),
        ("bare.csv", ROW.encode() * 3, "there is no header"),
        ("one.csv", b"temp\n50\n51\n", "no columns found"),
        ("prose.csv", b"Dear all\nplease find it attached\nbye\n", "no columns found"),
        ("x.csv", bytes(range(256)) * 20, "binary"),
        ("book.csv", b"PK\x03\x04" + bytes(200), "save the sheet as CSV"),
        ("cut.parquet", b"PAR1" + bytes(500), "Parquet file is damaged"),
        ("cut.csv.gz", gzip.compress(b"x", mtime=0)[:6], "cannot be read"),
        ("list.json", b'[{"ts": 1}]', "one JSON object per line"),
        ("bad.jsonl", b"{oops\n{oops\n", "no line is a JSON object"),
    ],
)
def test_unreadable_file_says_why(
    desk: Desk, name: str, content: bytes, problem: str
) -> None:
    """Each kind of unusable file is named with its reason, and the rest goes in."""
    good = desk.file("good.csv", HEAD + ROW)
    bad = desk.file(name, content)
    plan = desk.plan(bad, good)
    result = desk.run(bad, good)

    assert plan.ready
    assert problem in plan.problems[0]
    assert result.taken == 1
    assert [f.path for f in result.files if f.problem] == [bad]


def test_folder_and_missing_file_are_named(desk: Desk) -> None:
    """A folder is no file, and neither is nothing."""
    plan = desk.plan(desk.folder, desk.folder / "absent.csv")

    assert not plan.ready
    assert "this is a folder" in plan.problems[0]
    assert "there is no such file" in plan.problems[1]


def test_cut_off_gzip_gives_what_it_has(desk: Desk) -> None:
    """A compressed file that ends early is imported up to there, and it says so."""
    times = pd.date_range("2026-01-01", periods=60_000, freq="s")
    text = HEAD + "".join(f"{t},a,{i % 700 / 10}\n" for i, t in enumerate(times))
    whole = gzip.compress(text.encode())
    result = desk.run(desk.file("cut.csv.gz", whole[: len(whole) * 9 // 10]))

    assert result.taken == 50_000
    assert "damaged after line 50001" in (result.files[0].problem or "")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
def test_delimiter_is_found(desk: Desk, delimiter: str) -> None:
    """Any delimiter that makes even columns is found."""
    path = desk.file("d.csv", (HEAD + ROW * 3).replace(",", delimiter))

    assert sniff(path).dialect.delimiter == delimiter


def test_title_lines_and_trailing_delimiters_are_no_harm(desk: Desk) -> None:
    """Lines above the header, blank ones and delimiters at the end are read over."""
    text = f"Logger 17;;\n\n{HEAD.strip()},\n\n{ROW.strip()},\n".replace(";", ",")
    path = desk.file("t.csv", text)

    assert desk.run(path).taken == 1
    assert desk.plan(path).layouts[0].dialect.header == ("time", "device", "temp")


def test_old_mac_line_ends_are_lines(desk: Desk) -> None:
    """A file whose lines end in a carriage return alone is read."""
    assert desk.run(desk.file("m.csv", (HEAD + ROW).replace("\n", "\r"))).taken == 1


def test_quoted_cells_may_hold_lines_and_delimiters(desk: Desk) -> None:
    """A line end or a delimiter inside quotes is part of the cell."""
    text = 'time,device,temp,"error\ncode"\n'
    text += '2026-02-01 10:00:00,a,50,"first, line\nsecond"\n'
    text += "x,a,50,E1\n"
    result = desk.run(desk.file("q.csv", text))

    assert result.taken == 1
    assert desk.stored("a")["error_code"][0] == "first, line\nsecond"
    assert [(r["line"], r["row"]) for r in desk.refused()] == [("5", "x,a,50,E1")]


def test_open_quote_costs_one_line(desk: Desk) -> None:
    """A quote that nobody closes spoils its own line and none after it."""
    rows = [f'2026-02-01 10:{i:02d}:00,a,50,E"{i}\n' for i in range(60)]
    rows[30] = '2026-02-01 10:30:00,a,50,"E\n'
    result = desk.run(desk.file("q.csv", "time,device,temp,error\n" + "".join(rows)))

    assert (result.taken, result.rejected) == (59, 1)
    assert desk.refused()[0]["line"] == "32"
    assert desk.refused()[0]["reason"] == "a quote is opened and not closed"


def test_nul_bytes_of_a_power_cut_cost_their_line(desk: Desk) -> None:
    """A run of NUL bytes between good rows is one rejected line."""
    second = ROW.replace("10:00", "10:01")
    result = desk.run(desk.file("n.csv", HEAD + ROW + "\0" * 300_000 + "\n" + second))

    assert (result.taken, result.rejected) == (2, 1)
    assert desk.refused()[0]["reason"] == "NUL bytes"


def test_latin_cell_deep_in_a_utf8_file_is_read(desk: Desk) -> None:
    """Bytes that are not UTF-8 are read as Latin-1, the row is not lost."""
    text = (HEAD.strip() + ",error\n" + ROW.strip() + ",Störung\n").encode("latin-1")
    filler = b"".join(
        f"2026-01-{d:02d} {h:02d}:{m:02d}:00,b,50,ok\n".encode()
        for d in range(1, 29) for h in range(24) for m in range(0, 60, 4)
    )  # fmt: skip
    head, row = text.split(b"\n", 1)
    path = desk.file("l.csv", head + b"\n" + filler + row)

    assert sniff(path).dialect.encoding == "utf-8"
    desk.run(path)
    assert desk.stored("a")["error_code"][0] == "Störung"


def test_late_json_key_is_listed(desk: Desk) -> None:
    """A key that first appears after the sample is named, not lost in silence."""
    rows = [
        f'{{"ts": {1_767_225_600 + i}, "device": "a", "temp": 50}}\n'
        for i in range(5_001)
    ]
    rows.append('{"ts": 1768000000, "device": "a", "temp": 50, "flow": 1}\n')
    result = desk.run(desk.file("j.jsonl", "".join(rows)))

    assert result.taken == 5_002
    assert "columns met late and not read: flow" in result.notes


def test_missing_device_column_is_a_problem(desk: Desk) -> None:
    """Without a device column or --device nothing is imported, and help is given."""
    plan = desk.plan(desk.file("d.csv", "time,temp\n2026-02-01 10:00,50\n"))

    assert not plan.ready
    assert "--device {file}" in plan.problems[0]


def test_column_of_words_is_not_a_temperature(desk: Desk) -> None:
    """A column named like a metric with words in it is left out and reported."""
    text = "time,device,temp,flow\n2026-02-01 10:00,a,warm,1\n"
    (layout,) = desk.plan(desk.file("w.csv", text)).layouts

    assert layout.unknown == ("temp",)
    assert any("values are not" in note for note in layout.notes)


@pytest.mark.parametrize(
    ("cells", "decimal", "stored"),
    [
        (["1.234,5", "12,5"], ",", [1234.5, 12.5]),
        (["1,234.5", "12.5"], ".", [1234.5, 12.5]),
        (["1 234,5", "-12,5"], ",", [1234.5, -12.5]),
        (["1e2", "+.5"], ".", [100.0, 0.5]),
    ],
)
def test_thousands_and_decimal_marks(
    desk: Desk, cells: list[str], decimal: str, stored: list[float]
) -> None:
    """Grouped thousands and both decimal marks are read by what the column shows."""
    rows = "".join(f"2026-02-01 10:0{i};a;{c}\n" for i, c in enumerate(cells))
    path = desk.file("n.csv", "time;device;power\n" + rows)
    desk.run(path)

    assert desk.plan(path).layouts[0].decimal == decimal
    assert desk.stored("a")["power_w"].to_list() == stored


def test_point_among_decimal_commas_is_refused(desk: Desk) -> None:
    """1.234 beside decimal commas may be a thousand or a fraction: not guessed."""
    text = "time;device;temp\n2026-02-01 10:00;a;52,5\n2026-02-01 10:01;a;1.234\n"
    result = desk.run(desk.file("n.csv", text))

    assert (result.taken, result.rejected) == (1, 1)
    assert desk.refused()[0]["reason"] == "temp: not a number"


def test_repeated_hour_across_chunks_is_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Autumn's repeated hour is read right although a chunk would end inside it."""
    monkeypatch.setattr("services.imports.reading.CHUNK_ROWS", 100)
    times = pd.date_range("2025-10-25 20:00", periods=600, freq="min", tz="UTC")
    walls = times.tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M")
    frame = pd.DataFrame({"time": walls, "device": "a", "temp": 50.0})
    path = desk.folder / "dst.csv"
    frame.to_csv(path, index=False)
    result = desk.run(path, tz="Europe/Berlin")

    assert (result.taken, result.rejected) == (600, 0)
    assert result.first_ts == datetime(2025, 10, 25, 20, 0, tzinfo=UTC)
    assert desk.stored("a")["ts"].to_list() == list(times.tz_localize(None))


def test_unreadable_permission_is_one_problem(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be opened is listed with the system's reason."""
    path = desk.file("p.csv", HEAD + ROW)

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert "Permission denied" in desk.plan(path).problems[0]
