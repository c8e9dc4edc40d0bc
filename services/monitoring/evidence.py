"""What is known of each window: the facts that a verdict weighs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.counts import Cells, Counts
from data.grids import Grid
from data.model_records import ModelSpec
from services.monitoring.calibrators import Calibrator, learn
from services.monitoring.changes import Change, change_of, gap_change, realised_change
from services.monitoring.harm import Harm, harms
from services.monitoring.outcomes import MetricSeries, OutcomeSeries, series
from services.monitoring.quality import Break, breaks
from services.monitoring.relations import Relations, relations
from services.monitoring.scores import Scores, least_rows, scored

FEW_LABELS = 30


@dataclass(frozen=True)
class Moved:
    """A feature that moved in a window.

    size: in words, as "+0.52 sd". harm: the loss it adds, ``None`` where untold; z:
    of the loss expected of it. weight: importance over the largest one.
    """

    name: str
    words: str
    harm: float | None
    z: float | None
    weight: float


@dataclass(frozen=True)
class Evidence:
    """One window.

    loss: the reference's mean loss: share of wrong classes or mean absolute error.
    realised, expected, gap: rises of the loss from labels, from the estimate, and
    from labels beyond the estimate. ranking: loss of AUC from labels against the
    estimate; from_reference: the same against the reference. skill: the reference's
    AUC above one half. label, predicted: distance of their distribution and p.
    breaks: with the feature's name in ``column``; weights: of these features. judged:
    features with enough rows. early: labels that have come are few of those to come.
    """

    kind: str
    rows: int
    least_rows: int
    labelled: int
    coverage: float
    metric: str
    reference: float | None
    value: float | None
    estimated: float | None
    loss: float | None
    realised: Change
    expected: Change
    gap: Change
    ranking: Change
    from_reference: Change
    skill: float | None
    label: tuple[float, float] | None
    predicted: tuple[float, float] | None
    reliability: tuple[float, float] | None
    given_label: tuple[float, float] | None
    spread: float | None
    breaks: tuple[Break, ...]
    weights: Mapping[str, float]
    moved: tuple[Moved, ...]
    judged: int
    early: bool = False

    @property
    def told(self) -> bool:
        """Whether enough labels have come to be judged by."""
        return self.labelled >= FEW_LABELS and not self.early


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything counted of a model version: the reference and its windows.

    importance: by canonical column. finished: how many windows are over, all when
    ``None``.
    """

    spec: ModelSpec
    grid: Grid
    reference: Counts
    windows: Counts
    reference_cells: Cells
    cells: Cells
    columns: tuple[str, ...]
    importance: Mapping[str, float]
    finished: int | None = None

    def name(self, column: str) -> str:
        """The name of a feature's column."""
        return self.spec.features[int(column[1:])].name


@dataclass(frozen=True, eq=False)
class Gathered:
    """What the evidence is made of, for those who show it."""

    scores: Scores
    harm: Harm
    outcomes: OutcomeSeries
    evidence: tuple[Evidence, ...]


def gather(
    inputs: Inputs, calibrator: Calibrator | None = None, scores: Scores | None = None
) -> Gathered:
    """The evidence of every window.

    Args:
        inputs: the counts.
        calibrator: of the reference; learnt when absent.
        scores: of the features against the pinned reference, where already known.
    """
    spec, grid = inputs.spec, inputs.grid
    if calibrator is None:
        calibrator = learn(spec, grid, inputs.reference_cells)
    if scores is None:
        scores = scored(grid, inputs.reference, inputs.windows, inputs.columns)
    names = ("mae",) if spec.kind == "regression" else ("accuracy", "auc")
    outcomes = series(
        spec, grid, inputs.reference_cells, inputs.cells, calibrator, names
    )
    harm = harms(
        grid, inputs.reference, inputs.windows, inputs.reference_cells, inputs.cells,
        inputs.columns, inputs.importance,
    )  # fmt: skip
    related = relations(
        spec, grid, inputs.reference_cells, inputs.cells, inputs.reference,
        calibrator,
    )  # fmt: skip
    gathering = _Gathering(inputs, scores, harm, outcomes, related)
    found = tuple(gathering.window(w) for w in range(inputs.windows.windows))
    return Gathered(scores, harm, outcomes, found)


class _Gathering:
    """Puts the facts of single windows together."""

    def __init__(
        self,
        inputs: Inputs,
        scores: Scores,
        harm: Harm,
        outcomes: OutcomeSeries,
        related: Relations,
    ) -> None:
        self._in = inputs
        self._scores = scores
        self._harm = harm
        self._outcomes = outcomes
        self._related = related
        found = breaks(
            inputs.grid, inputs.reference, inputs.windows, scores, inputs.finished
        )
        self._breaks = [[b for b in bs if b.what != "waiting"] for bs in found]
        self._flags = scores.moved()
        for w, listed in enumerate(found):
            for one in listed:
                if one.what == "waiting":
                    self._flags[scores.place(one.column), w] = False
        self._sides = {
            name: scored(inputs.grid, inputs.reference, inputs.windows, [name])
            for name in ("prediction", "label")
        }
        rows = int(inputs.reference.rows("prediction")[0])
        self._least = least_rows(rows, len(inputs.columns))
        self._metric = "mae" if inputs.spec.kind == "regression" else "accuracy"

    def window(self, w: int) -> Evidence:
        main = self._outcomes.metrics[self._metric]
        auc = self._outcomes.metrics.get("auc")
        sign = 1.0 if self._metric == "mae" else -1.0
        reference = main.reference.value
        loss = reference if sign > 0 or reference is None else 1 - reference
        found = self._breaks[w]
        related = self._related
        return Evidence(
            kind=self._in.spec.kind,
            rows=int(self._in.windows.rows("prediction")[w]),
            least_rows=self._least,
            labelled=int(self._outcomes.labelled[w]),
            coverage=float(self._outcomes.coverage[w]),
            metric=self._metric,
            reference=reference,
            value=main.realised[w].value,
            estimated=main.estimated[w].value,
            loss=loss,
            realised=realised_change(main, w, sign),
            expected=self._expected(main, w, sign),
            gap=self._gap(main, w, sign),
            ranking=gap_change(auc, w, -1.0),
            from_reference=Change() if auc is None else realised_change(auc, w, -1.0),
            skill=None
            if auc is None or auc.reference.value is None
            else auc.reference.value - 0.5,
            label=self._side("label", w),
            predicted=self._side("prediction", w),
            reliability=_pair(related.reliability[w], related.reliability_p[w]),
            given_label=_pair(related.given_label[w], related.given_label_p[w]),
            spread=_number(related.spread[w]),
            breaks=tuple(replace(b, column=self._in.name(b.column)) for b in found),
            weights={self._in.name(b.column): self._weight(b.column) for b in found},
            moved=self._moved(w),
            judged=int((~np.isin(self._scores.state[:, w], ["few", "none"])).sum()),
        )

    def _expected(self, main: MetricSeries, w: int, sign: float) -> Change:
        """The rise of the loss by the estimate, or by the features' own bins."""
        one, base = main.estimated[w], main.reference.value
        if one.value is None or base is None:
            return self._by_bins(w)
        error = np.hypot(one.reference_error or 0.0, (one.sampling_error or 0.0) / 2)
        return change_of(sign * (one.value - base), float(error))

    def _by_bins(self, w: int) -> Change:
        """The largest rise that one moved feature's shift explains."""
        expected, error = self._harm.expected[:, w], self._harm.error[:, w]
        told = self._flags[:, w] & ~np.isnan(expected)
        if not told.any():
            return Change()
        worst = int(np.argmax(np.where(told, expected, -np.inf)))
        return change_of(float(expected[worst]), float(error[worst]))

    def _gap(self, main: MetricSeries, w: int, sign: float) -> Change:
        """The rise beyond the estimate.

        Without one, beyond what the bins of the moved features explain; they see no
        move within a bin, so that half explained is explained.
        """
        if main.gaps[w].value is not None or main.estimated[w].value is not None:
            return gap_change(main, w, sign)
        realised, told = realised_change(main, w, sign), self._by_bins(w).size or 0.0
        if not realised.size or realised.z is None or told >= realised.size / 2:
            return Change()
        rest = realised.size - max(told, 0.0)
        return Change(rest, realised.z * rest / realised.size)

    def _side(self, name: str, w: int) -> tuple[float, float] | None:
        found = self._sides[name]
        return _pair(found.size[0, w], found.window_p[0, w])

    def _weight(self, column: str) -> float:
        return float(self._harm.weight[self._scores.place(column)])

    def _moved(self, w: int) -> tuple[Moved, ...]:
        """The moved features, most harmful first."""
        flagged = self._flags[:, w]
        found = []
        for f in self._harm.order(w):
            if not flagged[f]:
                continue
            error, told = self._harm.error[f, w], self._harm.expected[f, w]
            z = float(told / error) if error > 0 else None
            found.append(
                Moved(
                    self._in.name(self._scores.columns[f]),
                    shift_words(self._scores, f, w),
                    _number(self._harm.harm[f, w]),
                    z,
                    float(self._harm.weight[f]),
                )
            )
        return tuple(found)


def shift_words(scores: Scores, feature: int, window: int) -> str:
    """How far a feature moved, in words."""
    state = str(scores.state[feature, window])
    if state == "missing":
        rise = scores.missing_rise[feature, window]
        rise = max(rise, scores.infinite_rise[feature, window])
        return f"{rise * 100:+.0f} points missing"
    if state == "unseen":
        return f"{scores.unseen[feature, window]:.0%} unseen categories"
    shift = scores.shift[feature, window]
    if np.isfinite(shift) and abs(shift) >= 0.05:
        return f"{shift:+.2f} sd"
    return f"{scores.size[feature, window]:.0%} of its distribution"


def _pair(size: float, p: float) -> tuple[float, float] | None:
    return None if np.isnan(size) or np.isnan(p) else (float(size), float(p))


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
