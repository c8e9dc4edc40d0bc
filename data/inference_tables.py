"""The lake's tables of monitored models: rows of each model, labels, counts."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from data.model_records import ModelSpec

HISTOGRAMS = "histograms"
OUTCOMES = "outcomes"
CHANGES = "model_changes"
MARK = "model_watermark"
FLOORS = "model_floors"
GROUP_ROWS = 2_048
"""A view reads one segment of many: row groups that hold none of it are skipped."""
SHARED: Mapping[str, Mapping[str, str]] = {
    HISTOGRAMS: {
        "model_id": "INTEGER",
        "version": "VARCHAR",
        "grid": "VARCHAR",
        "grain": "VARCHAR",
        "col": "VARCHAR",
        "segment": "VARCHAR",
        "ts": "TIMESTAMP",
        "n": "BIGINT",
        "bins": "BLOB",
        "counts": "BLOB",
    },
    OUTCOMES: {
        "model_id": "INTEGER",
        "version": "VARCHAR",
        "grid": "VARCHAR",
        "grain": "VARCHAR",
        "task": "VARCHAR",
        "segment": "VARCHAR",
        "ts": "TIMESTAMP",
        "bins": "BLOB",
        "counts": "BLOB",
        "sums": "DOUBLE[]",
    },
    CHANGES: {
        "seq": "BIGINT",
        "model_id": "INTEGER",
        "version": "VARCHAR",
        "first_ts": "TIMESTAMP",
        "last_ts": "TIMESTAMP",
    },
    FLOORS: {"model_id": "INTEGER", "floor": "TIMESTAMP"},
}
"""Counts of all models. ``grain``: ``day``, ``hour``, or ``all`` for a reference.
``bins``, ``counts``: see ``data/merging.py``. ``floor``: rows of a model before it
were dropped; their counts stand for ever."""


def rows_table(model_id: int) -> str:
    """The table of one model's predictions."""
    return f"inferences_{int(model_id)}"


def labels_table(model_id: int) -> str:
    """The table of one model's labels: only ever added to; the last one counts."""
    return f"labels_{int(model_id)}"


def row_types(spec: ModelSpec) -> dict[str, str]:
    """Canonical columns of a model's predictions, in their stored order."""
    value = "DOUBLE" if spec.kind == "regression" else "VARCHAR"
    types = {
        "prediction_id": "VARCHAR",
        "ts": "TIMESTAMP",
        "version": "VARCHAR",
        "prediction": value,
    }
    for place, feature in enumerate(spec.features):
        types[f"f{place}"] = "DOUBLE" if feature.type == "numeric" else "VARCHAR"
    types |= {f"s{place}": "DOUBLE" for place in range(len(spec.scored))}
    return types | {f"g{place}": "VARCHAR" for place in range(len(spec.segments))}


def label_types(spec: ModelSpec) -> dict[str, str]:
    """Columns of a model's labels. ``seq`` grows with every delivery."""
    value = "DOUBLE" if spec.kind == "regression" else "VARCHAR"
    return {
        "prediction_id": "VARCHAR",
        "label": value,
        "known_at": "TIMESTAMP",
        "seq": "BIGINT",
    }


def create_shared(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables that all models share, where they are missing."""
    run = connection.execute
    if MARK in _known(connection):
        return
    run("BEGIN")
    for name, types in SHARED.items():
        run(f"CREATE TABLE lake.{name} ({_listed(types)})")
        if name in (HISTOGRAMS, OUTCOMES):
            key = "col" if name == HISTOGRAMS else "task"
            run(f"ALTER TABLE lake.{name} SET PARTITIONED BY (model_id)")
            order = f"version, grid, grain, segment, {key}, ts"
            run(f"ALTER TABLE lake.{name} SET SORTED BY ({order})")
    run(f"CREATE TABLE lake.{MARK}(staged_id BIGINT)")
    run("COMMIT")
    for name in (HISTOGRAMS, OUTCOMES):
        run(
            f"CALL lake.set_option('parquet_row_group_size', {GROUP_ROWS}, "
            f"table_name => '{name}')"
        )
    for name in (MARK, CHANGES, FLOORS):
        run(
            "CALL lake.set_option('data_inlining_row_limit', 10, "
            f"table_name => '{name}')"
        )
    run(f"INSERT INTO lake.{MARK} VALUES (0)")


def ensure_model(
    connection: duckdb.DuckDBPyConnection, model_id: int, spec: ModelSpec
) -> None:
    """Create a model's own tables, or add the columns its specification has gained."""
    known = _known(connection)
    wanted = {
        rows_table(model_id): row_types(spec),
        labels_table(model_id): label_types(spec),
    }
    for name, types in wanted.items():
        if name not in known:
            connection.execute(f"CREATE TABLE lake.{name} ({_listed(types)})")
            if name == rows_table(model_id):
                connection.execute(
                    f"ALTER TABLE lake.{name} SET PARTITIONED BY (year(ts), month(ts))"
                )
                connection.execute(f"ALTER TABLE lake.{name} SET SORTED BY (ts)")
            continue
        present = {
            row[0] for row in connection.execute(f"DESCRIBE lake.{name}").fetchall()
        }
        for column, kind in types.items():
            if column not in present:
                connection.execute(
                    f"ALTER TABLE lake.{name} ADD COLUMN {column} {kind}"
                )


def _known(connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in connection.execute("SHOW TABLES FROM lake").fetchall()}


def _listed(types: Mapping[str, str]) -> str:
    return ", ".join(f"{column} {kind}" for column, kind in types.items())
