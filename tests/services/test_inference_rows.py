"""From a sender's columns to canonical ones: every value is taken or refused, aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.model_records import Feature, Model, ModelSpec
from services.errors import InvalidInput, ServiceError
from services.inference_rows import Rows, canonical, report
from services.label_rows import label_rows, reference_rows
from tests.conftest import NOW
from tests.data.watched import ANIMAL, CHURN, PRICE, churn, prices, table

JANUARY = "2026-01-01T00:00:00"
SECONDS = 1_767_225_600
"""The same moment since 1970."""
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
STORED = NEW_YEAR.replace(tzinfo=None)
"""The same moment as it is stored: naive UTC."""


def taken(spec: ModelSpec, sent: pa.Table) -> tuple[Rows, pa.Table]:
    """The canonical rows of a table, and those that are taken."""
    rows = canonical(spec, sent, "1", NOW)
    return rows, rows.table(sent.num_rows)


def with_column(name: str, values: object, rows: int | None = None) -> pa.Table:
    """Good rows of ``CHURN`` with one column replaced."""
    column = values if isinstance(values, pa.Array) else pa.array(values)
    sent = table(churn(1, rows or len(column)))
    return sent.set_column(sent.schema.get_field_index(name), name, column)


TIMES = {
    "iso": [JANUARY],
    "iso with zone": ["2026-01-01T05:30:00+05:30"],
    "iso with a space": ["2026-01-01 00:00:00Z"],
    "iso day": ["2026-01-01"],
    "seconds": [SECONDS],
    "fractions of seconds": [float(SECONDS)],
    "milliseconds": [SECONDS * 1_000],
    "microseconds": [SECONDS * 1_000_000],
    "nanoseconds": [SECONDS * 1_000_000_000],
    "decimal": [Decimal(SECONDS)],
    "naive": pa.array([STORED], pa.timestamp("s")),
    "zoned": pa.array([NEW_YEAR], pa.timestamp("ms", "Asia/Kolkata")),
    "zone nobody knows": pa.array([SECONDS], pa.timestamp("s", "Nowhere/City")),
    "nanosecond stamps": pa.array([SECONDS * 10**9], pa.timestamp("ns", "UTC")),
    "date": [date(2026, 1, 1)],
    "date in milliseconds": pa.array([date(2026, 1, 1)], pa.date64()),
    "dictionary": pa.array([JANUARY]).dictionary_encode(),
    "large text": pa.array([JANUARY], pa.large_string()),
    "text view": pa.array([JANUARY], pa.string_view()),
    "bytes": [JANUARY.encode()],
}


@pytest.mark.parametrize("values", TIMES.values(), ids=TIMES)
def test_a_time_is_understood_in_every_form(values: object) -> None:
    """Text, numbers by their size, stamps, dates: all are the same moment in UTC."""
    rows, found = taken(CHURN, with_column("ts", values))

    assert rows.reasons == {}
    assert found["ts"].to_pylist() == [STORED]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["1969-12-31T23:59:59"], "lies before 2000"),
        ([-1], "lies before 2000"),
        ([0], "lies before 2000"),
        (["2100-01-01"], "lies in the future"),
        ([4_102_444_800], "lies in the future"),
        (["soon"], "cannot be read as a time"),
        (["2026-02-30"], "cannot be read as a time"),
        ([None], "cannot be read as a time"),
        ([float("nan")], "cannot be read as a time"),
        ([float("inf")], "cannot be read as a time"),
        ([1e300], "cannot be read as a time"),
        (pa.array(np.array(["NaT"], "datetime64[us]")), "cannot be read as a time"),
        (pa.array([2**62], pa.timestamp("s")), "cannot be read as a time"),
        (pa.array([2**31 - 1], pa.date32()), "cannot be read as a time"),
        ([True], "cannot be read as a time"),
        ([timedelta(days=1)], "cannot be read as a time"),
        ([[1]], "cannot be read as a time"),
    ],
)
def test_a_time_that_is_none_is_refused_with_its_reason(
    values: object, reason: str
) -> None:
    """Too early, too late, no time at all: the row is named and why."""
    rows, found = taken(CHURN, with_column("ts", values))

    assert found.num_rows == 0
    assert reason in rows.reasons[0]


def test_one_wild_time_spoils_no_other() -> None:
    """Each number is read by its own size: seconds beside milliseconds and nonsense."""
    values = [SECONDS, SECONDS * 1_000, 10**18 * 5, SECONDS * 10**6]
    rows, found = taken(CHURN, with_column("ts", values))

    assert list(rows.reasons) == [2]
    assert set(found["ts"].to_pylist()) == {STORED}


def test_clocks_may_differ_by_a_day() -> None:
    """A prediction of tonight is taken; one of the day after tomorrow is not."""
    ahead = [NOW + timedelta(hours=23), NOW + timedelta(hours=25)]
    rows, _found = taken(CHURN, with_column("ts", ahead))

    assert list(rows.reasons) == [1]


NUMBERS: list[tuple[object, list[float | None], int]] = [
    (["1.5", " 2 ", "-inf"], [1.5, 2.0, -np.inf], 0),
    (["", "NaN", "null", None], [None] * 4, 0),
    (["1,5", "x", "0x10", "1_0", "\0"], [], 5),
    ([True, False, None], [1, 0, None], 0),
    ([Decimal("1.25"), None], [1.25, None], 0),
    ([2**60, -(2**62)], [2.0**60, -(2.0**62)], 0),
    (pa.array([2**64 - 1], pa.uint64()), [2.0**64], 0),
    (pa.array(np.array([1.5], "f2")), [1.5], 0),
    (pa.array([1.5, None]).dictionary_encode(), [1.5, None], 0),
    (pa.RunEndEncodedArray.from_arrays([2], [1.5]), [1.5, 1.5], 0),
    ([float("nan"), float("inf")], [None, np.inf], 0),
    ([NEW_YEAR, None], [None], 1),
    ([date(2026, 1, 1)], [], 1),
    ([timedelta(days=1), None], [None], 1),
    ([[1.0], None], [None], 1),
    ([{"a": 1}], [], 1),
    ([b"1.5", b"\xff"], [1.5], 1),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kept", "refused"), NUMBERS)
def test_numbers_are_read_or_refused(
    values: object, kept: list[float | None], refused: int
) -> None:
    """What is a number in any type is one; what is none is refused, never made up."""
    rows, found = taken(CHURN, with_column("age", values))

    assert found["f0"].to_pylist() == kept
    assert len(rows.reasons) == refused
    assert all("age is no number" in reason for reason in rows.reasons.values())
    assert bool(rows.changed) == (refused > 0)


CATEGORIES: list[tuple[object, list[str | None]]] = [
    ([1, 2, None], ["1", "2", None]),
    ([1.0, 2.0, float("nan")], ["1", "2", None]),
    ([1.5, float("inf"), 1e300], ["1.5", "inf", "1e+300"]),
    ([True, False], ["1", "0"]),
    ([date(2026, 1, 2)], ["2026-01-02"]),
    ([Decimal("1.00")], ["1.00"]),
    (["a" * 10_000], ["a" * 500]),
    (["a\0b"], ["a\ufffdb"]),
    ([b"a", b"\xff"], ["a", "\ufffd"]),
    (pa.array(["a", None]).dictionary_encode(), ["a", None]),
    (pa.array([1.0, 2.5]).dictionary_encode(), ["1", "2.5"]),
    ([["x"]], ["['x']"]),
    ([{"a": None}], ["{'a': None}"]),
    (pa.array([None], pa.list_(pa.int8())), [None]),
    (pa.nulls(2), [None, None]),
    (pa.array([UUID(int=7).bytes], pa.binary(16)).cast(pa.uuid()), [str(UUID(int=7))]),
]


@pytest.mark.parametrize(("values", "kept"), CATEGORIES)
def test_categories_are_text_of_any_type(
    values: object, kept: list[str | None]
) -> None:
    """Whole numbers as people write classes; long texts are cut; NUL is replaced."""
    rows, found = taken(CHURN, with_column("plan", values))

    assert found["f1"].to_pylist() == kept
    assert rows.reasons == {}


def test_fractions_in_a_categorical_column_are_told() -> None:
    """The rows are taken and the change of type is named."""
    rows, _found = taken(CHURN, with_column("plan", [1.5, 2.0]))

    assert rows.changed == [("plan", "categorical", "double")]


@pytest.mark.parametrize(
    ("name", "values", "refused"),
    [
        ("p", [0.0, 1.0, None, float("nan")], {}),
        ("p", [-1e-9], {0: "a probability lies in 0 to 1"}),
        ("p", [1.01], {0: "the score of leaves is 1.01"}),
        ("p", [float("inf")], {0: "a probability lies in 0 to 1"}),
        ("p", ["high"], {0: "the score of leaves is no number: 'high'"}),
        ("prediction", [None, "", "new"], {0: "there is no prediction"}),
        ("prediction_id", [None, "", "a" * 200], {0: "no prediction id", 1: "no pred"}),
        ("prediction_id", ["a" * 201, "b" * 10_000], {0: "longer than", 1: "longer"}),
        ("prediction_id", [7, None], {1: "it has no prediction id"}),
        ("region", [None, 3], {}),
    ],
)
def test_scores_predictions_and_ids(
    name: str, values: list[object], refused: dict[int, str]
) -> None:
    """0 and 1 are probabilities, a class may be new, an id must be there and short."""
    rows, _found = taken(CHURN, with_column(name, values))

    assert list(rows.reasons) == list(refused)
    for place, reason in refused.items():
        assert reason in rows.reasons[place]


def test_a_regression_needs_finite_predictions() -> None:
    """NaN, infinities, nothing and text are refused; the largest float is not."""
    values = pa.array(["1e3", "nan", None, "inf", "x", "1.7976931348623157e308"])
    sent = table(prices(1, 6)).set_column(2, "prediction", values)
    rows, found = taken(PRICE, sent)

    assert list(rows.reasons) == [4, 1, 2, 3]
    assert found["prediction"].to_pylist() == [1000.0, 1.7976931348623157e308]


def test_versions_are_those_of_the_rows() -> None:
    """A row without one has the delivery's; one that is no version name is refused."""
    sent = table(churn(2, 5)).append_column(
        "version", pa.array(["2.1", None, "../x", "a" * 41, "v 1"])
    )
    rows, found = taken(CHURN, sent)
    named = replace(
        CHURN, features=(*CHURN.features, Feature("version", "categorical"))
    )

    assert list(rows.reasons) == [2, 3, 4]
    assert found["version"].to_pylist() == ["2.1", "1"]
    _rows, found = taken(named, sent)
    assert found["version"].to_pylist() == ["1"] * 5
    assert found["f2"].to_pylist()[2] == "../x"


def test_how_columns_differ_is_never_silent() -> None:
    """Unknown and missing columns are named; retired features are neither."""
    sent = (
        table(churn(3, 2))
        .drop(["plan", "region", "p"])
        .append_column("zip", pa.array([1, 2]))
    )
    found = report(CHURN, sent)
    retired = replace(
        CHURN, features=(CHURN.features[0], replace(CHURN.features[1], retired=True))
    )

    assert (found.unknown, found.missing) == (("zip",), ("plan", "p", "region"))
    assert report(retired, sent).missing == ("p", "region")
    assert report(retired, table(churn(3, 2))).unknown == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(["prediction"]), "lacks prediction"),
        (lambda t: t.drop(["prediction_id", "ts"]), "lacks prediction_id, ts"),
        (lambda t: t.drop(["age", "plan"]), "none of its 2 features"),
        (lambda t: t.append_column("age", t["age"]), "Two columns have the name age"),
        (lambda _t: pa.table({}), "lacks prediction_id, ts, prediction"),
    ],
)
def test_another_file_is_refused_whole(
    change: Callable[[pa.Table], pa.Table], message: str
) -> None:
    """Without the columns nobody can do without, it is not the model's file."""
    with pytest.raises(InvalidInput, match=message):
        report(CHURN, change(table(churn(4, 3))))


def test_five_thousand_columns_are_looked_at() -> None:
    """A thousand features are taken and 4,000 unknown columns are named."""
    names = [f"c{i}" for i in range(5_000)]
    spec = replace(CHURN, features=tuple(Feature(n, "numeric") for n in names[:1_000]))
    good = table(churn(5, 20).drop(columns=["age", "plan"]))
    wide = [*good.columns, *[pa.array(np.arange(20.0))] * 5_000]
    sent = pa.table(wide, names=[*good.schema.names, *names])
    found, (rows, kept) = report(spec, sent), taken(spec, sent)

    assert len(found.unknown) == 4_000
    assert rows.reasons == {}
    assert kept["f999"].to_pylist() == list(range(20))


@pytest.mark.parametrize("rows", [0, 1])
def test_no_row_and_one_row(rows: int) -> None:
    """An empty table gives empty columns of the right types."""
    _rows, found = taken(CHURN, table(churn(6, 1)).slice(0, rows))

    assert found.num_rows == rows
    assert [str(t) for t in found.schema.types] == [
        "string", "timestamp[us]", "string", "string", "double", "string", "double",
        "string",
    ]  # fmt: skip


def model(spec: ModelSpec) -> Model:
    """A registered model."""
    return Model(1, spec, 1, NOW, NOW)


def test_labels_are_read_like_predictions() -> None:
    """Ids as in predictions, times in any form; an impossible time is now."""
    sent = pa.table(
        {
            "prediction_id": [1, 2, 3, 4, None],
            "left": ["leaves", "new", None, "stays", "stays"],
            "known_at": [SECONDS, 0, SECONDS, 9 * 10**18, SECONDS],
        }
    )
    rows = label_rows(model(CHURN), sent, NOW)
    found = rows.table(5)

    assert rows.reasons == {2: "there is no label", 4: "it has no prediction id"}
    assert found["prediction_id"].to_pylist() == ["1", "2", "4"]
    assert found["known_at"].to_pylist() == [
        STORED, *[NOW.replace(tzinfo=None)] * 2,
    ]  # fmt: skip
    for bad in (sent.drop(["left"]), sent.append_column("left", sent["left"])):
        with pytest.raises(InvalidInput):
            label_rows(model(CHURN), bad, NOW)


def test_portions_of_a_reference_may_differ() -> None:
    """A portion without labels, or with a feature that is empty, joins the others."""
    first = table(churn(7, 80))
    second = table(churn(8, 80)).drop(["left", "plan"])
    whole, notes = reference_rows(model(CHURN), [first, second], NOW)

    assert whole.num_rows == 160
    assert whole["label"].null_count == whole["f1"].null_count == 80
    assert notes == ["columns missing: plan"]


CELLS = (
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["leaves", "stays", "1e400", "9" * 400, "\0", "2026-01-01", "nan"]),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.binary(max_size=4),
    st.decimals(allow_nan=False, allow_infinity=False, places=2, max_value=10**9),
    st.lists(st.integers(0, 9), max_size=2),
    st.fixed_dictionaries({"a": st.integers(0, 9)}),
)
WAYS: tuple[Callable[[pa.Array], pa.Array], ...] = (
    lambda a: a,
    lambda a: a.dictionary_encode(),
    lambda a: a.cast(pa.large_string()),
    lambda a: a.cast(pa.string_view()),
    lambda a: a.cast(pa.float32()),
    lambda a: a.cast(pa.timestamp("s", "Nowhere/City")),
    lambda a: pa.RunEndEncodedArray.from_arrays(np.arange(1, len(a) + 1), a),
)


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pa.Array:
    """A column of one odd type, or of another one made from it."""
    cell = st.one_of(st.none(), CELLS[draw(st.integers(0, len(CELLS) - 1))])
    values = draw(st.lists(cell, min_size=rows, max_size=rows))
    try:
        return draw(st.sampled_from(WAYS))(pa.array(values))
    except (pa.ArrowException, OverflowError, ValueError, TypeError):
        return pa.nulls(rows)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """A table that has most columns of ``CHURN``, whatever is in them."""
    rows = draw(st.integers(0, 4))
    needed = ["prediction_id", "ts", "prediction", "age"]
    others = ("plan", "p", "region", "left", "version", "known_at", "odd")
    chosen = [*needed, *draw(st.lists(st.sampled_from(others), unique=True))]
    if draw(st.integers(0, 9)) == 0:
        del chosen[draw(st.integers(0, 3))]
    arrays = [draw(columns(rows)) for _ in chosen]
    if draw(st.integers(0, 9)) == 0:
        chosen[-1] = chosen[0]
    return pa.Table.from_arrays(arrays, names=chosen)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables(), st.sampled_from([CHURN, ANIMAL, PRICE]))
def test_no_table_whatever_raises_anything_but_a_refusal(
    sent: pa.Table, base: ModelSpec
) -> None:
    """Odd types, odd values, odd names: rows are taken in the types that are stored."""
    names = ("age", "plan")
    features = tuple(replace(f, name=names[i]) for i, f in enumerate(base.features))
    columns = replace(
        base.columns, label="left", scores=dict.fromkeys(base.columns.scores, "p")
    )
    spec = replace(base, features=features, columns=columns)
    try:
        report(spec, sent)
        rows, found = taken(spec, sent)
    except ServiceError:
        return
    empty = canonical(spec, sent.slice(0, 0), "1", NOW).table(0)

    assert found.schema.types == empty.schema.types
    assert found.num_rows == sent.num_rows - len(rows.reasons)
    for name in ("prediction_id", "ts", "version", "prediction"):
        assert found[name].null_count == 0
    found.validate(full=True)
    try:
        label_rows(model(spec), sent, NOW).table(sent.num_rows).validate(full=True)
    except ServiceError:
        return
