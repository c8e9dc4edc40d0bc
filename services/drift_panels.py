"""Beside the heat map: does the meaning of scores hold, did inputs move together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from data.judgement_store import WindowResult
from data.outcomes import IS, NOT
from services.drift_views import ConceptPanel, MultivariatePanel, MultivariatePoint
from services.monitoring.calibrators import positions
from services.monitoring.evidence import Evidence
from services.monitoring.verdicts import Judged
from services.monitoring.words import METRICS, count
from services.stats.cells import SPECIAL_BINS, equal_groups
from services.stats.intervals import proportion

GROUPS = 10
MOST_COLUMNS = 10
Group = tuple[float, float, float | None, float | None, float | None, int]


def concept(judged: Judged, window: int) -> ConceptPanel:
    """P(label | score) in the reference and the picked window, and the gap over time.

    Args:
        judged: the scope.
        window: the picked one.
    """
    evidence = judged.gathered.evidence[window]
    series = judged.gathered.outcomes.metrics[evidence.metric]
    gap = tuple(
        (v.start, one.value, one.low, one.high)
        for v, one in zip(judged.verdicts, series.gaps, strict=True)
    )
    return ConceptPanel(
        metric=evidence.metric,
        groups=_groups(judged, window),
        gap=gap,
        sentence=_concept_words(evidence, series.gaps[window].reason),
    )


def _groups(judged: Judged, window: int) -> tuple[Group, ...]:
    """Ten groups of equal reference rows by score, of the (first) judged class."""
    inputs = judged.inputs
    if inputs.spec.kind == "regression" or not inputs.spec.scored:
        return ()
    place = positions(inputs.spec, inputs.grid)[0]
    regular = len(place) - SPECIAL_BINS
    base = inputs.reference_cells.of_class(0)[0, :regular].sum(axis=1)
    now = inputs.cells.of_class(0)[window, :regular].sum(axis=1)
    known = base[:, NOT] + base[:, IS]
    if not known.sum():
        return ()
    group = equal_groups(known, GROUPS)
    found = []
    for number in range(GROUPS):
        own = (group == number) & (known > 0) & np.isfinite(place[:regular])
        rows = float(known[own].sum())
        if not rows:
            continue
        inside = group == number
        labelled = int(now[inside][:, [NOT, IS]].sum())
        share = proportion(float(now[inside, IS].sum()), labelled)
        found.append(
            (
                float(known[own] @ place[:regular][own] / rows),
                float(base[own, IS].sum() / rows),
                share.value,
                share.low,
                share.high,
                labelled,
            )
        )
    return tuple(found)


def _concept_words(e: Evidence, reason: str | None) -> str:
    name = METRICS[e.metric]
    if e.early and e.labelled:
        few = f"{count(e.labelled)} of {count(e.rows)} labels have come"
        return f"Whether labels still follow scores cannot be told: {few}."
    if e.gap.size is None or e.gap.z is None:
        why = reason or "there are no labels yet"
        return f"Whether labels still follow scores cannot be told: {why}."
    if e.gap.z >= 3:
        return (
            f"Labels no longer follow: {name} is {_amount(e)} worse than these inputs "
            f"explain, {e.gap.z:.1f} standard errors."
        )
    if e.reliability is not None and e.reliability[1] < 0.001:
        unit = "mean absolute errors" if e.kind == "regression" else "of a share"
        return (
            f"Scores are off by {e.reliability[0]:.3f} {unit}, though {name} is within "
            "three standard errors of what these inputs explain."
        )
    return (
        f"Labels follow as in the reference: {name} is within {abs(e.gap.z):.1f} "
        "standard errors of what these inputs explain."
    )


def _amount(e: Evidence) -> str:
    size = e.gap.size or 0.0
    return f"{size * 100:.1f} points" if e.metric == "accuracy" else f"{size:.3g}"


def multivariate(
    results: Sequence[WindowResult],
    starts: Sequence[datetime],
    picked: datetime | None,
) -> MultivariatePanel | None:
    """The domain classifier and the reconstruction; ``None`` while there are none.

    Args:
        results: of the windows, any kinds.
        starts: of the windows shown.
        picked: the window whose columns are named; the newest one where it has none.
    """
    shown = set(starts)
    by_kind: dict[str, dict[datetime, Mapping[str, object]]] = {"domain": {}, "pca": {}}
    for result in results:
        if result.kind in by_kind and result.start in shown:
            by_kind[result.kind][result.start] = result.value
    domain, pca = by_kind["domain"], by_kind["pca"]
    if not domain and not pca:
        return None
    points = tuple(_point(s, domain.get(s, {}), pca.get(s, {})) for s in starts)
    at = picked if picked in domain else max(domain, default=picked)
    value = domain.get(at, {}) if at is not None else {}
    columns, pair = _columns(value), _pair(value)
    return MultivariatePanel(points, columns, pair, _words(value, columns, pair))


def _point(
    start: datetime, domain: Mapping[str, object], pca: Mapping[str, object]
) -> MultivariatePoint:
    return MultivariatePoint(
        start,
        _number(domain.get("auc")),
        _number(domain.get("limit")),
        _number(pca.get("error")),
        _number(pca.get("low")),
        _number(pca.get("high")),
    )


def _columns(value: Mapping[str, object]) -> tuple[tuple[str, float], ...]:
    found = value.get("columns")
    if not isinstance(found, Mapping):
        return ()
    ranked = sorted(found.items(), key=lambda item: -item[1])
    return tuple((str(n), float(v)) for n, v in ranked[:MOST_COLUMNS] if v > 0)


def _pair(value: Mapping[str, object]) -> tuple[str, str] | None:
    found = value.get("pair")
    if not isinstance(found, (list, tuple)) or len(found) != 2:
        return None
    return str(found[0]), str(found[1])


def _words(
    value: Mapping[str, object],
    columns: tuple[tuple[str, float], ...],
    pair: tuple[str, str] | None,
) -> str:
    auc, limit = _number(value.get("auc")), _number(value.get("limit"))
    if auc is None or limit is None:
        why = value.get("reason") or "not computed yet"
        return f"Whether inputs moved together cannot be told: {why}."
    if auc <= limit and pair is not None:
        return (
            f"Inputs moved together: the relation of {pair[0]} and {pair[1]} changed "
            f"(p ≤ 0.01); a classifier does not tell the rows apart, AUC {auc:.3f}, "
            f"limit {limit:.3f}."
        )
    if auc <= limit:
        return (
            f"Reference and window cannot be told apart: AUC {auc:.3f}, {limit:.3f} "
            "is the limit of chance."
        )
    who = f"; the relation of {pair[0]} and {pair[1]} changed most" if pair else ""
    first = f", most by {columns[0][0]}" if columns else ""
    return (
        f"Rows of the window can be told from the reference: AUC {auc:.3f}, limit "
        f"{limit:.3f}{first}{who}."
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
