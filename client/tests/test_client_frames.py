"""The same data in any form is sent as the same rows."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest

from iotsphere_client.frames import TYPES, read
from iotsphere_client.rows import LARGEST_BODY, inference_columns, pieces
from iotsphere_client.schema import Roles, infer
from iotsphere_client.values import class_text, id_text, plain

WEST = timezone(timedelta(hours=-5))
ROWS = [
    {
        "prediction_id": f"p{i}",
        "ts": datetime(2026, 3, 1, 12, 0, i),
        "age": 30 + i,
        "income": None if i == 2 else 1000.25 * i,
        "limit": math.inf if i == 1 else -float(i),
        "plan": None if i == 3 else "äb"[i % 2],
        "active": i % 3 == 0,
        "prediction": i % 2,
        "score": i / 8,
    }
    for i in range(5)
]


def texts(row):
    """A row as a file of texts has it."""
    return {**row, "ts": f"{row['ts'].isoformat()}Z", "limit": str(row["limit"])}


def csv_file(folder):
    """The rows as a CSV file with semicolons and a byte-order mark."""
    path = folder / "rows.csv"
    pd.DataFrame(ROWS).to_csv(path, sep=";", index=False, encoding="utf-8-sig")
    return path


def parquet_file(folder):
    """The rows as a Parquet file."""
    pyarrow.parquet.write_table(pa.Table.from_pylist(ROWS), folder / "rows.parquet")
    return str(folder / "rows.parquet")


def json_lines_file(folder):
    """The rows as JSON lines; an infinity is a text there."""
    lines = [
        json.dumps(texts(row) | {"limit": row["limit"]}, allow_nan=True) for row in ROWS
    ]
    path = folder / "rows.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def categories(_folder):
    """A pandas frame with an index, a category, nullable and Arrow types."""
    frame = pd.DataFrame(ROWS, index=range(100, 105))
    return frame.astype(
        {"plan": "category", "age": "Int64", "income": "double[pyarrow]",
         "active": "boolean"}
    )  # fmt: skip


FORMS = {
    "dicts": lambda folder: ROWS,
    "pandas": lambda folder: pd.DataFrame(ROWS),
    "pandas types": categories,
    "polars": lambda folder: pl.DataFrame(ROWS),
    "polars lazy": lambda folder: pl.LazyFrame(ROWS).with_columns(
        pl.col("plan").cast(pl.Categorical), pl.col("ts").dt.cast_time_unit("ns")
    ),
    "arrow": lambda folder: pa.Table.from_pylist(ROWS),
    "arrow batch": lambda folder: pa.RecordBatch.from_pylist(ROWS),
    "arrow types": lambda folder: pa.Table.from_pandas(categories(folder)),
    "csv": csv_file,
    "parquet": parquet_file,
    "json lines": json_lines_file,
}


def sent(data, **given):
    """The specification and rows that data would be sent as."""
    table = read(data)
    spec, _ = infer(table, Roles(**given), "m", "1")
    columns, _ = inference_columns(table, spec, {})
    rows = []
    for item in pieces("p", table, columns, pytest.fail, lambda row: None):
        rows += json.loads(item.body)["rows"]
    return spec, rows


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_sent_alike(form, tmp_path):
    """Schema and rows are those of the list of dicts, and plain JSON."""
    spec, rows = sent(FORMS[form](tmp_path))

    assert spec["features"] == [
        {"name": "age", "type": "numeric"},
        {"name": "income", "type": "numeric"},
        {"name": "limit", "type": "numeric"},
        {"name": "plan", "type": "categorical"},
        {"name": "active", "type": "categorical"},
    ]
    assert (spec["kind"], spec["classes"]) == ("binary", ["0", "1"])
    assert rows == [
        {
            "prediction_id": f"p{i}",
            "ts": f"2026-03-01T12:00:0{i}Z",
            "age": 30 + i,
            "income": None if i == 2 else 1000.25 * i,
            "limit": "inf" if i == 1 else -float(i),
            "plan": None if i == 3 else "äb"[i % 2],
            "active": i % 3 == 0,
            "prediction": str(i % 2),
            "score": i / 8,
        }
        for i in range(5)
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int8(-3), -3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.float64("nan"), None),
        (np.datetime64("2026-03-01T12:00:00.000000001"), "2026-03-01T12:00:00Z"),
        (np.datetime64("NaT"), None),
        (np.timedelta64(90, "s"), 90.0),
        (np.longdouble(0.25), 0.25),
        (pd.Timestamp("2026-07-01 12:00", tz="Europe/Berlin"), "2026-07-01T10:00:00Z"),
        (pd.NaT, None),
        (pd.NA, None),
        (pd.Timedelta("1h"), 3600.0),
        (pl.Series([Decimal("1.5")])[0], 1.5),
        (Decimal("NaN"), None),
        (-math.inf, "-inf"),
        (10**400, "inf"),
        (date(2026, 3, 1), "2026-03-01T00:00:00Z"),
        (datetime(2026, 3, 1, 0, 0, 0, 5), "2026-03-01T00:00:00.000005Z"),
        (datetime(2026, 3, 1, tzinfo=WEST), "2026-03-01T05:00:00Z"),
        (b"caf\xc3\xa9", "café"),
        ("lone \ud800", "lone ?"),
        (None, None),
    ],
)  # fmt: skip
def test_scalars_become_plain_json(value, expected):
    """numpy, pandas and polars scalars, times, nulls and infinities."""
    found = plain(value)

    assert found == expected
    assert type(found) is type(expected)


def test_ids_and_classes_have_one_text():
    """7, 7.0 and "7" are one id; True is the class its model calls True."""
    assert {id_text(v) for v in (7, 7.0, "7", np.int32(7), Decimal(7))} == {"7"}
    assert id_text(10**20 + 1) == "100000000000000000001"
    assert id_text(math.nan) is None
    assert class_text(True) == "true"
    assert class_text(True, ["False", "True"]) == "True"
    assert class_text(np.bool_(False), ["0", "1"]) == "0"


def test_pieces_hold_every_row_once_and_stay_small():
    """No body passes 900 kB, no row is lost, and each piece has a key of its own."""
    rows = [{"prediction": i % 2, "text": "ü" * (i % 3000)} for i in range(2500)]
    table = read(rows)
    spec, _ = infer(table, Roles(), "m", "1")
    columns, _ = inference_columns(table, spec, {})
    found = list(pieces("p", table, columns, pytest.fail, lambda row: None))

    assert max(len(item.body) for item in found) <= LARGEST_BODY
    assert len({item.key for item in found}) == len(found) > 10
    assert [n for item in found for n in item.numbers] == list(range(2500))
    for item in found:
        assert len(json.loads(item.body)["rows"]) == len(item.numbers)


def test_codes_in_a_csv_stay_codes(tmp_path):
    """A postcode keeps its zero; a number in a pinned category stays its text."""
    path = tmp_path / "codes.csv"
    path.write_text("postcode,n,flag,prediction\n01234,1,TRUE,a\n56789,2.5,false,b\n")
    table = read(path)
    kinds = {name: TYPES[column.kind] for name, column in table.columns.items()}
    spec, _ = infer(table, Roles(), "m", "1")
    spec["features"][1]["type"] = "categorical"
    columns, _ = inference_columns(table, spec, {})
    [item] = pieces("p", table, columns, pytest.fail, lambda row: None)
    row = json.loads(item.body)["rows"][0]

    assert kinds["postcode"] == "categorical"
    assert kinds["n"] == "numeric"
    assert (row["postcode"], row["n"], row["flag"]) == ("01234", "1", True)


def test_unreadable_rows_of_files_keep_their_number(tmp_path):
    """A broken line is refused with its reason and its place; the others are read."""
    lines = tmp_path / "rows.jsonl"
    lines.write_text('{"a": 1}\n{"a": \n[1]\n\n{"a": 2}\n')
    table = tmp_path / "rows.csv"
    table.write_text("a,b\n1,2\n1,2,3\n4,5\n")
    from_lines, from_csv = read(lines), read(table)

    assert list(from_lines.numbers) == [0, 3]
    assert [row for row, _ in from_lines.refused] == [1, 2]
    assert "not JSON" in from_lines.refused[0][1]
    assert list(from_csv.numbers) == [0, 2]
    assert from_csv.refused == [(1, "the row has 3 fields and the heading 2")]


def test_columns_that_can_be_no_feature_are_told():
    """Times, lists and empty columns are left out of the schema, and named."""
    rows = [{"prediction": 1.5, "born": date(2000, 1, 1), "tags": ["a"], "gone": None}]
    spec, notes = infer(read(rows), Roles(), "m", "1")

    assert spec["features"] == []
    assert "no features: born, tags, gone" in notes[-1]
