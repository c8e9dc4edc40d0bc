"""Data of any accepted kind as one thing: named columns that give plain slices.

No frame library is imported: who passes a frame has imported its library already.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .values import class_text, kind_of_all, plain

TYPES = {
    "integer": "numeric",
    "real": "numeric",
    "boolean": "categorical",
    "text": "categorical",
}
"""The feature type of a kind of column; other kinds are no features."""
ACCEPTED = (
    "the data must be a pandas, polars or pyarrow table, a list of dicts, or the path "
    "of a CSV, Parquet or JSON lines file"
)

Take = Callable[[int, int], Sequence[Any]]


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        kind: integer, real, boolean, text, time, empty or other.
        take: the values of rows ``[start, stop)``, in Python's or numpy's types.
        texts: the same as the file had them, where it was a file of texts.
    """

    kind: str
    take: Take
    texts: Take | None = None


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes:
        columns: by name, in order.
        numbers: each row's number in the caller's data.
        refused: rows that could not be read, with the reason.
    """

    columns: Mapping[str, Column]
    numbers: Sequence[int]
    refused: list[tuple[int, str]] = field(default_factory=list)

    def all(self, name: str) -> Sequence[Any]:
        """All values of a column."""
        return self.columns[name].take(0, len(self.numbers))


def read(data: Any) -> Table:
    """Any accepted data as a table.

    Raises:
        TypeError: it is none of the accepted kinds.
        ValueError, OSError, ImportError: it cannot be read; the text says why.
    """
    if isinstance(data, str | os.PathLike):
        from .files import read_file  # noqa: PLC0415  (files builds tables of this)

        return read_file(data)
    if isinstance(data, list | tuple):
        return from_rows(list(data))
    for library, reader in (
        ("pandas", from_pandas),
        ("polars", from_polars),
        ("pyarrow", from_arrow),
    ):
        module = sys.modules.get(library)
        table = reader(data, module) if module is not None else None
        if table is not None:
            return table
    raise TypeError(f"{ACCEPTED}, not {type(data).__name__}")


def from_rows(rows: Sequence[Any], first: int = 0) -> Table:
    """A list of dicts; what is no dict is refused as a row."""
    kept = [i for i, row in enumerate(rows) if isinstance(row, Mapping)]
    refused = [
        (first + i, f"the row is no dict but {type(row).__name__}")
        for i, row in enumerate(rows)
        if not isinstance(row, Mapping)
    ]
    dicts = [rows[i] for i in kept]
    keys = dict.fromkeys(key for row in dicts for key in row)
    columns = {
        name: from_values([row.get(key) for row in dicts])
        for name, key in zip(names_of(keys), keys, strict=True)
    }
    return Table(columns, [first + i for i in kept], refused)


def from_values(values: Sequence[Any]) -> Column:
    """A column of Python values, its kind found by looking at each."""
    return Column(kind_of_all(values), lambda start, stop: values[start:stop])


def from_pandas(data: Any, pandas: Any) -> Table | None:
    """A pandas DataFrame; its index is not a column."""
    if not isinstance(data, pandas.DataFrame):
        return None
    names = names_of(data.columns)
    columns = {n: _pandas_column(data.iloc[:, i], pandas) for i, n in enumerate(names)}
    return Table(columns, range(len(data)))


def _pandas_column(series: Any, pandas: Any) -> Column:
    def take(start: int, stop: int) -> Sequence[Any]:
        return list(series.iloc[start:stop].tolist())

    types, dtype = pandas.api.types, series.dtype
    if isinstance(dtype, pandas.CategoricalDtype):
        return _categories(take)
    for kind, fits in (
        ("boolean", types.is_bool_dtype),
        ("integer", types.is_integer_dtype),
        ("real", types.is_float_dtype),
        ("time", types.is_datetime64_any_dtype),
    ):
        if fits(dtype):
            return Column(kind, take)
    if isinstance(dtype, pandas.StringDtype):
        return Column("text", take)
    return from_values(take(0, len(series)))


def from_polars(data: Any, polars: Any) -> Table | None:
    """A polars DataFrame, or a LazyFrame, which is collected."""
    if isinstance(data, polars.LazyFrame):
        data = data.collect()
    if not isinstance(data, polars.DataFrame):
        return None
    columns = {name: _polars_column(data[name], polars) for name in data.columns}
    return Table(columns, range(data.height))


def _polars_column(series: Any, polars: Any) -> Column:
    def take(start: int, stop: int) -> Sequence[Any]:
        return list(series.slice(start, stop - start).to_list())

    dtype = series.dtype
    if dtype == polars.Boolean:
        return Column("boolean", take)
    if dtype.is_integer():
        return Column("integer", take)
    if dtype.is_float() or dtype.is_decimal() or dtype == polars.Duration:
        return Column("real", take)
    if dtype in (polars.Datetime, polars.Date):
        return Column("time", take)
    if dtype in (polars.String, polars.Categorical, polars.Enum):
        return Column("text", take)
    return from_values(take(0, len(series)))


def from_arrow(data: Any, arrow: Any) -> Table | None:
    """A pyarrow Table or RecordBatch."""
    if isinstance(data, arrow.RecordBatch):
        data = arrow.Table.from_batches([data])
    if not isinstance(data, arrow.Table):
        return None
    names = names_of(data.column_names)
    columns = {n: _arrow_column(data.column(i), arrow) for i, n in enumerate(names)}
    return Table(columns, range(data.num_rows))


def _arrow_column(column: Any, arrow: Any) -> Column:
    types, dtype = arrow.types, column.type
    if types.is_timestamp(dtype) or types.is_duration(dtype):
        # Arrow hands nanoseconds to pandas, which may not be there.
        coarse = (
            arrow.timestamp("us", dtype.tz)
            if types.is_timestamp(dtype)
            else arrow.duration("us")
        )
        column = column.cast(coarse, safe=False)

    def take(start: int, stop: int) -> Sequence[Any]:
        return list(column.slice(start, stop - start).to_pylist())

    if types.is_dictionary(dtype):
        return _categories(take)
    for kind, fits in (
        ("boolean", types.is_boolean),
        ("integer", types.is_integer),
        ("real", types.is_floating),
        ("real", types.is_decimal),
        ("real", types.is_duration),
        ("time", types.is_timestamp),
        ("time", types.is_date),
        ("text", types.is_string),
        ("text", types.is_large_string),
    ):
        if fits(dtype):
            return Column(kind, take)
    return from_values(take(0, len(column)))


def _categories(take: Take) -> Column:
    def texts(start: int, stop: int) -> Sequence[Any]:
        return [class_text(value) for value in take(start, stop)]

    return Column("text", texts)


def names_of(keys: Any) -> list[str]:
    """The column names as texts.

    Raises:
        ValueError: two are the same.
    """
    names = [str(plain(str(key))) for key in keys]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"two columns are called {twice[0]!r}")
    return names
