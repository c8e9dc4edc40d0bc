"""Whatever is given, a result comes back."""

from __future__ import annotations

import logging
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from contract_server import PASSWORD, USER, ContractServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import iotsphere_client
from iotsphere_client import Client, Result


class Hostile:
    """An object that fails at everything."""

    def __str__(self):
        raise RuntimeError(self)

    __repr__ = __eq__ = __len__ = __iter__ = __hash__ = __fspath__ = __float__ = __str__


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
    st.binary(max_size=8), st.decimals(), st.fractions(), st.complex_numbers(),
    st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates(), st.times(),
    st.timedeltas(), st.uuids(),
    st.integers(0, 23).map(lambda at: ODD[at]),
)  # fmt: skip
ODD = [
        pd.NA, pd.NaT, np.float32("inf"), np.datetime64("NaT"), np.int64(-1),
        10**5000, Hostile(), object(), [], {}, {1: [2]}, np.array([1, 2]), np.array(3),
        datetime.min, datetime.max, date.max, time.max, timedelta.max, Decimal("sNaN"),
        Decimal("Infinity"), "\ud800", "\x00", "2026-13-99",
        "9999-12-31T23:59:59-01:00",
]  # fmt: skip
"""By place, because hypothesis would hash them."""
NAMES = st.one_of(
    st.sampled_from(
        ["prediction", "score", "label", "id", "prediction_id", "ts", "", "\ud800"]
    ),
    st.integers(0, 2), st.none(), st.text(max_size=3),
)  # fmt: skip
ROWS = st.lists(
    st.one_of(st.dictionaries(NAMES, SCALARS, max_size=5), SCALARS), max_size=6
)
DICTS = st.lists(st.dictionaries(NAMES, SCALARS, max_size=4), min_size=1, max_size=4)
FRAMES = st.sampled_from([
    pd.DataFrame(), pd.DataFrame([[1, 2]], columns=["a", "a"]),
    pd.DataFrame({("a", 1): [1], ("b", 2): [2]}), pd.Series([1]),
    pd.DataFrame({"p": pd.period_range("2026", periods=2), "prediction": [0, 1]}),
    pd.DataFrame({"prediction": [0, 1], "o": [object(), Hostile()]}),
    pl.DataFrame(), pl.DataFrame({"prediction": [0, 1], "l": [[1], []]}),
    pl.DataFrame({"prediction": [[0]]}), pl.Series([1]), pa.table({}),
    pa.table({"prediction": [0, 1], "s": [{"a": 1}, None]}), pa.array([1]),
    pa.table({"prediction": pa.array([None, None])}), np.zeros(3), np.zeros((2, 2)),
])  # fmt: skip
ANYTHING = st.one_of(
    ROWS, SCALARS, FRAMES, st.sampled_from(["x.csv", "x.parquet", "/", "~", "\x00.csv"])
)


@pytest.fixture(scope="module")
def running():
    """One server for all examples."""
    with ContractServer() as server:
        yield server


THREE = [{"prediction": name} for name in "abc"]
ROLES = ["id", "timestamp", "prediction", "score", "label", "segments", "kind",
         "classes", "positive", "strict", "known_at"]  # fmt: skip
THOROUGH = settings(
    max_examples=200, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def check(result):
    """A result is well formed and accounts for the rows."""
    assert isinstance(result, Result)
    assert (result.error is None) == result.ok
    assert isinstance(str(result), str)
    accounted = result.taken + result.duplicates + result.spooled
    assert not result.ok or accounted >= result.read


def as_frame(rows):
    """The rows as a pandas frame, where pandas can make one."""
    try:
        return pd.DataFrame(rows)
    except UnicodeEncodeError:
        return rows


@THOROUGH
@given(
    data=ANYTHING, model=st.one_of(st.text(max_size=5), SCALARS), version=SCALARS,
    roles=st.dictionaries(
        st.sampled_from(ROLES),
        st.one_of(SCALARS, NAMES, st.lists(NAMES, max_size=2)), max_size=2,
    ),
)  # fmt: skip
def test_odd_arguments_become_a_result(running, tmp_path, data, model, version, roles):
    """Every call returns a Result, with an error exactly when it is not ok."""
    client = Client(running.url, USER, PASSWORD, spool=tmp_path / "s")
    check(client.log(data, model, version, **roles))
    check(client.log_labels(data, model, **roles))


@THOROUGH
@given(
    rows=DICTS,
    later=st.one_of(DICTS, ROWS),
    odd=SCALARS,
    frame=st.booleans(),
    on=st.booleans(),
)
def test_odd_values_become_a_result(running, tmp_path, rows, later, odd, frame, on):
    """Odd values in a new and a pinned model, online and offline, as frame or list."""
    url = running.url if on else "http://127.0.0.1:1"
    client = Client(url, USER, PASSWORD, spool=tmp_path / uuid4().hex)
    running.specs.clear()
    running.rows.clear()
    running.refuse = lambda row: "no id" if row.get("prediction_id") is None else None
    rows = [{"prediction": i % 2, "x": odd, **row} for i, row in enumerate(rows)]
    new = client.log(as_frame(rows) if frame else rows, "m", kind="binary")
    pinned = client.log(later, "m")
    labels = client.log_labels(rows, "m", id="x", label="prediction")
    for result in (new, pinned, labels, client.flush()):
        check(result)


@pytest.mark.parametrize(
    ("args", "given", "said"),
    [
        ((), {}, "missing"),
        (([],), {}, "model"),
        (([{"prediction": 1}], "m", "1", "extra"), {}, "positional"),
        (([{"prediction": 1}], "m"), {"strict": True}, "strict"),
        ((None, "m"), {}, "must be a pandas, polars or pyarrow table"),
        (({"prediction": 1}, "m"), {}, "not dict"),
        (([{"prediction": 1}], ""), {}, "model's name"),
        (([{"prediction": 1}], "m"), {"id": "no"}, "id: there is no column 'no'"),
        (([{"prediction": 1}], "m"), {"segments": ["no"]}, "no column 'no'"),
        (([{"prediction": 1}], "m"), {"kind": "magic"}, "binary, multiclass"),
        (([{"age": 1}], "m"), {}, "give prediction="),
        (([{"prediction": 1}], "m"), {"positive": "yes"}, "'yes' is none of 0, 1"),
        ((THREE, "m"), {"kind": "binary"}, "a binary model has two classes"),
        ((THREE, "m"), {"score": "prediction"}, "needs score={class: column}"),
        (("missing.csv", "m"), {}, "missing.csv"),
        (("rows.xlsx", "m"), {}, "does not end in"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_told(client, caplog, args, given, said):
    """The error says what is wrong, and a warning stands in the log."""
    with caplog.at_level(logging.WARNING, "iotsphere_client"):
        result = client.log(*args, **given)

    assert not result.ok
    assert said in result.error
    assert said in caplog.text


@pytest.mark.parametrize(
    "given",
    [
        {"url": "ftp://host"}, {"url": "nowhere"}, {"url": "http://["}, {"url": "http://"},
        {"url": "http://127.0.0.1:99999"}, {"timeout_s": "soon"}, {"timeout_s": -1},
        {"token": "ü\n€"}, {"username": 3, "password": object()},
    ],
    ids="-".join,
)  # fmt: skip
def test_wrong_settings_are_told_by_the_call(server, tmp_path, given):
    """Neither making the client nor logging raises; the result is not ok or kept."""
    given = {"url": server.url, "spool": tmp_path} | given
    result = Client(**given).log([{"prediction": 0}, {"prediction": 1}], "m")

    assert result.error or (result.spooled and result.note)
    assert result.taken == 0


def test_a_spool_that_is_a_file_is_told(server, tmp_path, rows):
    """Online it does not matter but for a note; offline the rows are told as lost."""
    place = tmp_path / "file"
    place.write_text("")
    client = Client(server.url, USER, PASSWORD, spool=place)
    online = client.log(rows, "churn")
    server.stop()
    offline = client.log(rows, "churn")

    assert online.taken == 6
    assert "not kept locally" in online.note
    assert not offline.ok
    assert "neither sent nor kept" in offline.error


def test_the_module_functions_do_not_raise_either(monkeypatch):
    """Called without arguments they return a result that is not ok."""
    monkeypatch.setattr(iotsphere_client, "_default", [])
    monkeypatch.setenv("IOTSPHERE_URL", "nowhere")

    assert not iotsphere_client.log().ok
    assert not iotsphere_client.log_labels(1, 2, 3, 4).ok
