"""Partial results of readings and the one SQL that folds them together.

A *partial* summarises some readings of one device: counts, extremes, sums, the
first and last of what a step needs, and totals of the steps inside it. A reading
is a partial of itself. Folding is associative, so readings fold to 15 minutes,
those to hours, and any of them to the bucket a chart wants: the same SQL builds
the roll-ups and answers the queries. Nothing is ever incremented.

A *step* is the time between two neighbouring readings; it counts when it is not
longer than the device's gap limit, and belongs to the later reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from data.records import METRICS, metric_mask

HEATING_POWER_W = 100.0
"""A device that does not report ``heating`` heats when it draws this much."""

KEPT_BELOW_TARGET_K = 5.0
"""Temperature is kept while it is at most this far below its target."""

TOTALS = (
    "covered_s",
    "heating_s",
    "starts",
    "meter_kwh",
    "power_kwh",
    "volume_l",
    "kept_s",
    "judged_s",
)
ENDS_OF_STEP = ("meter_first", "meter_last", "start_first", "start_last")
FIRST_OF_STEP = ("heating_first", "flow_first", "power_first", "kept_first")
STEP_COLUMNS = frozenset({*ENDS_OF_STEP, *FIRST_OF_STEP, *TOTALS})
"""The columns of a partial that come from the time between readings."""


def bucket_sql(bucket_s: int, column: str = "first_ts") -> str:
    """SQL of the start of the bucket ``column`` lies in, counted from 1970.

    The engine's own origin is a Monday in 2000, which only some widths agree with.
    """
    return (
        f"time_bucket(INTERVAL '{int(bucket_s)} seconds', {column}, "
        "TIMESTAMP '1970-01-01')"
    )


def gaps_table(gaps_s: Mapping[str, float]) -> pa.Table:
    """The relation ``gaps`` that every fold joins."""
    return pa.table(
        {
            "device_id": pa.array(list(gaps_s), type=pa.string()),
            "gap_s": pa.array(list(gaps_s.values()), type=pa.float64()),
        }
    )


def metric_columns(metrics: Sequence[str]) -> tuple[str, ...]:
    """The roll-up columns of the metrics named."""
    kinds = ("n", "min", "max", "sum", "last")
    return tuple(f"{metric}_{kind}" for metric in metrics for kind in kinds)


def columns(metrics: Sequence[str] = METRICS) -> tuple[str, ...]:
    """The columns of a partial, in order."""
    return (
        "device_id",
        "ts",
        "n",
        "flagged_n",
        "first_ts",
        "last_ts",
        *metric_columns(metrics),
        "mode_last",
        *ENDS_OF_STEP,
        *FIRST_OF_STEP,
        *TOTALS,
    )


def column_types() -> dict[str, str]:
    """The stored type of each column of a roll-up table."""
    special = {
        "device_id": "VARCHAR",
        "ts": "TIMESTAMP",
        "first_ts": "TIMESTAMP",
        "last_ts": "TIMESTAMP",
        "n": "BIGINT",
        "flagged_n": "BIGINT",
        "starts": "BIGINT",
        "mode_last": "VARCHAR",
        "start_first": "BOOLEAN",
        "start_last": "BOOLEAN",
        "heating_first": "BOOLEAN",
        "kept_first": "BOOLEAN",
    }
    counts = {f"{metric}_n": "BIGINT" for metric in METRICS}
    return {
        name: special.get(name) or counts.get(name) or "DOUBLE" for name in columns()
    }


def _good(metric: str) -> str:
    return f"CASE WHEN quality & {metric_mask(metric)} = 0 THEN {metric} END"


def from_readings(source: str, metrics: Sequence[str] = METRICS) -> str:
    """SQL that turns the readings of ``source`` into partials of one row each."""
    used = dict.fromkeys(
        (
            *metrics,
            "temperature_c",
            "target_temperature_c",
            "power_w",
            "flow_lpm",
            "energy_kwh",
        )
    )
    good = ", ".join(f"{_good(metric)} AS {metric}" for metric in used)
    parts = [
        f"({m} IS NOT NULL)::BIGINT AS {m}_n, {m} AS {m}_min, {m} AS {m}_max, "
        f"{m} AS {m}_sum, {m} AS {m}_last, "
        for m in metrics
    ]
    totals = ", ".join(
        f"0::{'BIGINT' if total == 'starts' else 'DOUBLE'} AS {total}"
        for total in TOTALS
    )
    return f"""
        SELECT device_id, ts, 1::BIGINT AS n, (quality <> 0)::BIGINT AS flagged_n,
               ts AS first_ts, ts AS last_ts, {"".join(parts)}
               mode AS mode_last, energy_kwh AS meter_first, energy_kwh AS meter_last,
               heats AS start_first, heats AS start_last, heats AS heating_first,
               flow_lpm AS flow_first, power_w AS power_first, kept AS kept_first,
               {totals}
        FROM (
            SELECT device_id, ts, quality, mode, {", ".join(used)},
                   coalesce(heating, power_w >= {HEATING_POWER_W}) AS heats,
                   CASE WHEN coalesce(mode, '') <> 'off' THEN
                     temperature_c >= target_temperature_c - {KEPT_BELOW_TARGET_K}
                   END AS kept
            FROM (SELECT device_id, ts, quality, mode, heating, {good} FROM {source})
        )"""


def _folded(metrics: Sequence[str]) -> str:
    return "".join(
        f"sum({m}_n)::BIGINT AS {m}_n, min({m}_min) AS {m}_min, "
        f"max({m}_max) AS {m}_max, sum({m}_sum) AS {m}_sum, "
        f"arg_max({m}_last, last_ts) AS {m}_last, "
        for m in metrics
    )


STEPS: Mapping[str, str] = {
    "covered_s": "covered_s + step_s",
    "heating_s": "heating_s + CASE WHEN heating_first THEN step_s ELSE 0 END",
    "starts": "starts + (coalesce(start_first AND NOT start_before, false))::BIGINT",
    "meter_kwh": """meter_kwh + CASE
        WHEN meter_first >= meter_before THEN meter_first - meter_before
        WHEN meter_first < meter_before / 2 THEN meter_first ELSE 0 END""",
    "power_kwh": "power_kwh + coalesce(power_first, 0) * step_s / 3.6e6",
    "volume_l": "volume_l + coalesce(flow_first, 0) * step_s / 60",
    "kept_s": "kept_s + CASE WHEN kept_first THEN step_s ELSE 0 END",
    "judged_s": "judged_s + CASE WHEN kept_first IS NOT NULL THEN step_s ELSE 0 END",
}
"""Each total of a partial with the step before it.

A meter that fell below half was reset and counts from zero; less is jitter.
"""


def fold(
    source: str,
    bucket: str,
    metrics: Sequence[str] = METRICS,
    *,
    across: bool,
    steps: bool = True,
) -> str:
    """SQL that folds the partials of ``source`` into buckets.

    Args:
        source: a relation of partials.
        bucket: SQL of the bucket's start from ``first_ts``.
        metrics: the metrics to carry along.
        across: whether a bucket takes in the step from the bucket before it. A
            query wants that; a stored roll-up must not, so that it depends on
            nothing but its own readings.
        steps: whether ``STEP_COLUMNS`` are wanted; without them it is faster.

    The relation ``gaps(device_id, gap_s)`` holds each device's gap limit.
    """
    within = "device_id" if across else "device_id, bucket"
    # Values and steps are folded apart: only the few columns of a step go through
    # the window, which is twice as fast on millions of readings. A query's few
    # partials are scanned once and kept; a build's many are scanned twice instead.
    kept = "MATERIALIZED" if across else "NOT MATERIALIZED"
    values = f"""
        SELECT device_id, bucket, sum(n)::BIGINT AS n,
               sum(flagged_n)::BIGINT AS flagged_n, {_folded(metrics)}
               min(first_ts) AS first_ts, max(last_ts) AS last_ts,
               arg_max(mode_last, last_ts) AS mode_last
        FROM partials GROUP BY device_id, bucket"""
    if not steps:
        return f"""
            WITH partials AS (SELECT *, {bucket} AS bucket FROM ({source}))
            SELECT * RENAME (bucket AS ts) FROM ({values})"""
    return f"""
        WITH partials AS {kept} (SELECT *, {bucket} AS bucket FROM ({source}))
        SELECT device_id, bucket AS ts, values_.* EXCLUDE (device_id, bucket),
               steps.* EXCLUDE (device_id, bucket)
        FROM ({values}) AS values_
        JOIN ({_steps(within)}) AS steps USING (device_id, bucket)"""


def link(source: str) -> str:
    """SQL that adds the step before it to each partial of ``source``.

    The answer is that of ``fold`` for a source that has one partial for each bucket
    asked for, as a stored roll-up has, and takes half the time.
    """
    linked = ", ".join(f"{sql} AS {name}" for name, sql in STEPS.items())
    return f"SELECT * REPLACE ({linked}) FROM ({_with_step(f'({source})', '*')})"


def _with_step(source: str, names: str, within: str = "device_id") -> str:
    """SQL of the columns named and of the step before, as far as it counts."""
    return f"""
        SELECT linked.*, CASE WHEN gap_us <= gap_s * 1e6 THEN gap_us / 1e6
                              ELSE 0 END AS step_s
        FROM (
            SELECT {names}, date_diff('us', lag(last_ts) OVER w, first_ts) AS gap_us,
                   lag(meter_last IGNORE NULLS) OVER w AS meter_before,
                   lag(start_last IGNORE NULLS) OVER w AS start_before
            FROM {source}
            WINDOW w AS (PARTITION BY {within} ORDER BY first_ts)
        ) AS linked
        JOIN gaps USING (device_id)"""


def _steps(within: str) -> str:
    """SQL of the step totals of each bucket of ``partials``."""
    firsts = ", ".join(
        f"arg_min_null({name}, first_ts) AS {name}" for name in FIRST_OF_STEP
    )
    names = ("device_id", "bucket", "first_ts", "last_ts", *ENDS_OF_STEP)
    used = ", ".join((*names, *FIRST_OF_STEP, *TOTALS))
    types = column_types()
    totals = ", ".join(
        f"sum({q})::{types[name]} AS {name}" for name, q in STEPS.items()
    )
    return f"""
        SELECT device_id, bucket, arg_min(meter_first, first_ts) AS meter_first,
               arg_max(meter_last, last_ts) AS meter_last,
               arg_min(start_first, first_ts) AS start_first,
               arg_max(start_last, last_ts) AS start_last,
               {firsts}, {totals}
        FROM ({_with_step("partials", used, within)})
        GROUP BY device_id, bucket"""
