"""Logging while the server is there."""

from __future__ import annotations

import dataclasses
import math
import sys
from datetime import datetime, timezone

import pandas as pd
import pytest
from contract_server import PASSWORD, USER

import iotsphere_client
from iotsphere_client import Client, connect, log, log_labels


def test_one_line_registers_and_logs(server, tmp_path, monkeypatch, rows):
    """``log(df, model=, version=)`` configured by the environment alone works."""
    for name, value in (
        ("URL", server.url), ("USERNAME", USER), ("PASSWORD", PASSWORD),
        ("SPOOL", str(tmp_path)),
    ):  # fmt: skip
        monkeypatch.setenv(f"IOTSPHERE_{name}", value)
    monkeypatch.setattr(iotsphere_client, "_default", [])

    result = log(pd.DataFrame(rows), model="churn", version="3")

    assert (result.ok, result.read, result.taken, result.error) == (True, 6, 6, None)
    assert result.ids == [f"p{i}" for i in range(6)]
    assert server.versions == ["3"]
    assert server.specs["churn"] == {
        "name": "churn",
        "kind": "binary",
        "version": "3",
        "features": [
            {"name": "age", "type": "numeric"},
            {"name": "income", "type": "numeric"},
            {"name": "plan", "type": "categorical"},
        ],
        "columns": {
            "id": "prediction_id", "timestamp": "ts", "prediction": "prediction",
            "scores": {"1": "score"},
        },
        "classes": ["0", "1"],
        "positive": "1",
        "segments": [],
    }  # fmt: skip
    assert server.rows["churn"][1] == {
        "prediction_id": "p1", "ts": "2026-03-02T12:00:00Z", "age": 21,
        "income": 1000.5, "plan": "b", "prediction": "1", "score": 0.1,
    }  # fmt: skip


def test_a_known_model_is_never_changed(server, client, rows):
    """The second call, and a client that never saw the model, send no schema."""
    client.log(rows, "churn", segments="plan")
    server.specs["churn"]["thresholds"] = {"psi": 0.2}
    again = [{**row, "prediction_id": f"q{i}"} for i, row in enumerate(rows)]
    client.log(again, "churn")
    other = Client(server.url, USER, PASSWORD, spool=client.spool.folder / "other")
    result = other.log(rows, "churn")

    assert result.duplicates == 6
    assert server.puts == ["churn"]
    assert server.specs["churn"]["thresholds"] == {"psi": 0.2}
    assert server.specs["churn"]["segments"] == ["plan"]


def test_missing_id_and_time_are_generated(server, client, rows):
    """Ids come back in the result as they were sent; the time is now in UTC."""
    for row in rows:
        del row["prediction_id"], row["ts"]
    result = client.log(rows, "churn")
    sent = server.rows["churn"]

    assert result.ok
    assert len(set(result.ids)) == 6
    assert [row["prediction_id"] for row in sent] == result.ids
    age = datetime.now(timezone.utc) - datetime.fromisoformat(sent[0]["ts"])
    assert 0 <= age.total_seconds() < 60
    assert result.missing_columns == []


def test_named_columns_are_sent_as_the_pinned_schema_calls_them(server, client, rows):
    """A frame with other names maps onto the pinned ones by keyword."""
    client.log(rows, "churn")
    other = [
        {
            "key": i, "when": datetime(2026, 4, 1), "out": 1, "p": 0.5,
            "age": 1, "income": 2.0, "plan": "a",
        }
        for i in range(3)
    ]  # fmt: skip
    result = client.log(
        other, "churn", id="key", timestamp="when", prediction="out", score={"1": "p"}
    )

    assert result.ok
    assert result.unknown_columns == result.missing_columns == []
    assert server.rows["churn"][-1] == {
        "prediction_id": "2", "ts": "2026-04-01T00:00:00Z", "age": 1, "income": 2.0,
        "plan": "a", "prediction": "1", "score": 0.5,
    }  # fmt: skip


def test_differences_from_the_pinned_schema_are_told(server, client, rows):
    """New, missing and changed columns are in the result, and the rows are sent."""
    client.log(rows, "churn")
    for i, row in enumerate(rows):
        row |= {"prediction_id": f"n{i}", "age": "old", "colour": "red"}
        del row["plan"]
    result = client.log(rows, "churn")

    assert result.ok
    assert result.taken == 6
    assert result.unknown_columns == ["colour"]
    assert result.missing_columns == ["plan"]
    assert result.changed_types == [
        {"column": "age", "expected": "numeric", "found": "categorical"}
    ]
    assert "unknown columns: colour" in str(result)


def test_a_schema_changed_on_the_server_is_noticed(server, client, rows):
    """A feature added there meanwhile is no unknown column here."""
    client.log(rows, "churn")
    server.specs["churn"]["features"].append({"name": "colour", "type": "categorical"})
    for i, row in enumerate(rows):
        row |= {"prediction_id": f"n{i}", "colour": "red"}

    assert client.log(rows, "churn").unknown_columns == []


def test_refused_rows_keep_their_number_over_all_pieces(server, client):
    """A row refused in the third piece has its place in the caller's data."""
    server.refuse = lambda row: "too old" if row["age"] in (3, 2500) else None
    rows = [{"prediction": i % 2, "age": i, "text": "x" * 900} for i in range(3000)]
    result = client.log(rows, "churn")

    assert len(server.arrivals) == 4
    assert result.rejected == [(3, "too old"), (2500, "too old")]
    assert (result.ok, result.read, result.taken) == (False, 3000, 2998)
    assert "2 of 3000 rows were refused, the first is row 3: too old" in result.error


def test_a_row_larger_than_a_request_is_refused_alone(server, client, rows):
    """It comes back with its size; the others are taken."""
    rows[4]["plan"] = "x" * 1_000_000
    result = client.log(rows, "churn")

    assert result.taken == 5
    assert [row for row, _ in result.rejected] == [4]
    assert "more than 900000" in result.rejected[0][1]


def test_a_piece_refused_as_a_whole_names_each_row(server, client, rows):
    """A 422 is the reason of every row of its piece, and nothing is kept."""
    server.fault = lambda method, path: 422 if "inferences" in path else None
    result = client.log(rows, "churn")

    assert not result.ok
    assert result.spooled == 0
    assert result.rejected == [(i, "as the test wants it (HTTP 422)") for i in range(6)]
    assert client.spool.waiting() == []


def test_labels_go_by_prediction_id(server, client, rows):
    """Only id, label and time are sent, with classes as the schema has them."""
    client.log(rows, "churn")
    labels = pd.DataFrame(
        {"prediction_id": ["p1", "p9"], "label": [1.0, math.nan], "age": [1, 2],
         "known_at": [pd.Timestamp("2026-04-01", tz="Europe/Berlin"), pd.NaT]}
    )  # fmt: skip
    result = client.log_labels(labels, "churn")

    assert (result.ok, result.read, result.taken) == (True, 2, 2)
    assert server.labels == [
        {"prediction_id": "p1", "label": "1", "known_at": "2026-03-31T22:00:00Z"},
        {"prediction_id": "p9", "label": None, "known_at": None},
    ]


@pytest.mark.parametrize(
    ("rows", "given", "kind", "classes"),
    [
        ([{"prediction": 1.5}, {"prediction": 2.0}], {}, "regression", None),
        ([{"y_pred": "yes"}, {"y_pred": "no"}], {}, "binary", ["no", "yes"]),
        ([{"pred": True}], {}, "binary", ["false", "true"]),
        ([{"prediction": x} for x in (10, 9, 2)], {}, "multiclass", ["2", "9", "10"]),
        ([{"prediction": 3}], {"kind": "regression"}, "regression", None),
        ([{"prediction": "a"}], {"classes": ["a", "b"]}, "binary", ["a", "b"]),
        (
            [{"prediction": "a", "x": 0.5, "y": 0.5}],
            {"score": {"a": "x", "b": "y"}}, "binary", ["a", "b"],
        ),
    ],
)  # fmt: skip
def test_the_kind_follows_from_the_predictions(
    server, client, rows, given, kind, classes
):
    """Float is regression, two classes binary, more multiclass, unless it is given."""
    result = client.log(rows, "m", **given)

    assert result.ok, result
    assert server.specs["m"]["kind"] == kind
    assert server.specs["m"].get("classes") == classes


def test_a_single_class_is_not_guessed_at(server, client):
    """One class of unknown company is no schema: the text says what to give."""
    result = client.log([{"prediction": "a"}], "m")

    assert not result.ok
    assert "give classes=" in result.error
    assert server.puts == []


def test_an_id_that_repeats_is_not_the_prediction_id(server, client):
    """A customer's ``id`` stays a feature and ids are generated."""
    result = client.log([{"id": 7, "prediction": 0}, {"id": 7, "prediction": 1}], "m")

    assert len(set(result.ids)) == 2
    assert server.specs["m"]["features"] == [{"name": "id", "type": "numeric"}]


def test_a_lost_model_is_registered_again(server, client, rows):
    """When the server forgot the model, the same call creates it and loses nothing."""
    client.log(rows, "churn")
    server.specs.clear()
    server.rows.clear()
    result = client.log(rows, "churn")

    assert (result.ok, result.read, result.taken) == (True, 6, 6)
    assert server.puts == ["churn", "churn"]


def test_model_names_are_quoted(server, client, rows):
    """A name with a slash, a space and an umlaut reaches the server whole."""
    result = client.log(rows, "a/b ü?", version=4)

    assert result.ok
    assert list(server.rows) == ["a/b ü?"]
    assert server.versions == ["4"]


def test_connect_sets_the_client_of_the_module(server, tmp_path, monkeypatch, rows):
    """After ``connect`` the module's functions use that server."""
    monkeypatch.setattr(iotsphere_client, "_default", [])
    connect(url=server.url, username=USER, password=PASSWORD, spool=tmp_path)

    assert log(rows, model="churn").taken == 6
    assert log_labels([{"prediction_id": "p1", "label": 1}], model="churn").taken == 1
    assert iotsphere_client.flush().ok


def test_a_result_cannot_be_changed_and_reads_well(server, client, rows):
    """It is frozen, and its text has the counts."""
    result = client.log(rows, "churn")

    with pytest.raises(dataclasses.FrozenInstanceError):
        result.ok = False
    assert str(result).startswith("ok: 6 rows: 6 taken\nnote: churn was unknown")


def test_the_package_asks_for_no_library():
    """Importing it imports neither pandas, polars, pyarrow nor numpy."""
    import subprocess  # noqa: PLC0415

    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import iotsphere_client as c;"
        "c.log([{'prediction': 1}], model='m');"
        "print(sorted({'pandas', 'polars', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )
    folder = str(iotsphere_client.__path__[0] + "/..")
    run = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True,
        env={"IOTSPHERE_URL": "nowhere"}, check=False,
    )  # fmt: skip

    assert run.stdout.strip() == "[]", run.stderr
