"""The Drift tab beyond single features: concept drift and several at once."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import drift_words as words
from dashboards import parts, text
from dashboards.figures import drift_series as draw
from dashboards.ids import ident
from services.drift_views import (
    ConceptPanel,
    DriftView,
    MultivariatePanel,
    MultivariatePoint,
)
from services.performance_views import METRIC_WORDS
from services.units import Preferences

TAB = "drift"
RELIABILITY = ident(TAB, "reliability")
GAP = ident(TAB, "gap")
CLASSIFIER = ident(TAB, "classifier")
RECONSTRUCTION = ident(TAB, "reconstruction")


def panels(view: DriftView, prefs: Preferences) -> list[Component]:
    """Both panels; one without numbers says why."""
    return [_concept(view, prefs), _multivariate(view, prefs)]


def _concept(view: DriftView, prefs: Preferences) -> Component:
    title = "Concept: do the same inputs still mean the same?"
    panel = view.concept
    if panel is None:
        return parts.card(
            title,
            parts.empty_state(
                "Cannot tell without labels",
                "It compares predictions with their labels, and too few labels of "
                "this range or of the reference are known. They come with: "
                "python cli.py import labels --model NAME FILE",
            ),
        )
    return parts.card(
        title,
        html.P(panel.sentence, className="panel-words"),
        html.Div(_concept_charts(view, panel, prefs), className="detail-pair"),
    )


def _concept_charts(
    view: DriftView, panel: ConceptPanel, prefs: Preferences
) -> list[Component]:
    metric = METRIC_WORDS.get(panel.metric, panel.metric)
    pictures = [
        _titled(
            "Share of the label by score",
            parts.chart(
                RELIABILITY,
                draw.reliability(panel, prefs.theme),
                f"Observed share by score group. {panel.sentence}",
                _groups(panel),
            ),
        )
        if panel.groups
        else None,
        _titled(
            f"{metric}: realised minus estimated",
            parts.chart(
                GAP,
                draw.gap(panel, prefs),
                f"{metric}, realised minus estimated, by window.",
                _gaps(view, panel, prefs),
            ),
        )
        if panel.gap
        else None,
    ]
    return [picture for picture in pictures if picture is not None]


def _groups(panel: ConceptPanel) -> Component:
    return words.listed(
        f"score {text.number(score, 3)}: reference {text.number(before, 3)}, "
        f"window {text.number(now, 3)} from {rows} rows"
        for score, before, now, _low, _high, rows in panel.groups
    )


def _gaps(view: DriftView, panel: ConceptPanel, prefs: Preferences) -> Component:
    return words.listed(
        f"{words.column(start, view.window, prefs)}: {text.number(value, 3, sign=True)}"
        for start, value, _low, _high in panel.gap
        if value is not None
    )


def _multivariate(view: DriftView, prefs: Preferences) -> Component:
    title = "Several features at once"
    panel = view.multivariate
    if panel is None:
        return parts.card(
            title,
            parts.empty_state(
                "Not computed for this range",
                "It needs whole rows of the reference and enough rows in a window; "
                "no window of this range has a result.",
            ),
        )
    return parts.card(
        title,
        html.P(panel.sentence, className="panel-words"),
        html.Div(
            [
                _titled(
                    "Domain classifier: can a model tell window from reference?",
                    parts.chart(
                        CLASSIFIER,
                        draw.classifier(panel, prefs),
                        f"AUC of the domain classifier with its limit.{_newest(panel)}",
                        _aucs(view, panel, prefs),
                    ),
                ),
                _titled(
                    "PCA: do the features still belong together?",
                    parts.chart(
                        RECONSTRUCTION,
                        draw.reconstruction(panel, prefs),
                        "Reconstruction error by window with the reference's band.",
                        _errors(view, panel, prefs),
                    ),
                ),
            ],
            className="detail-pair",
        ),
        _explained(panel),
    )


def _newest(panel: MultivariatePanel) -> str:
    known = [point.auc for point in panel.points if point.auc is not None]
    return f" Newest AUC {text.number(known[-1], 3)}." if known else ""


def _aucs(view: DriftView, panel: MultivariatePanel, prefs: Preferences) -> Component:
    said = [
        f"{words.column(point.start, view.window, prefs)}: {text.number(point.auc, 3)}"
        for point in panel.points
        if point.auc is not None and point.auc > (point.auc_limit or 1)
    ]
    return words.listed(said or ["No window is above its limit"])


def _errors(view: DriftView, panel: MultivariatePanel, prefs: Preferences) -> Component:
    said = [
        f"{words.column(point.start, view.window, prefs)}: "
        f"{text.number(point.reconstruction, 3)}"
        for point in panel.points
        if outside(point)
    ]
    return words.listed(said or ["No window is outside the band"])


def outside(point: MultivariatePoint) -> bool:
    """Whether the reconstruction error of a window is outside its band."""
    error, low, high = (
        point.reconstruction,
        point.reconstruction_low,
        point.reconstruction_high,
    )
    if error is None or low is None or high is None:
        return False
    return not low <= error <= high


def _explained(panel: MultivariatePanel) -> Component | None:
    """The columns and the pair of columns that tell window from reference."""
    said: list[Component] = []
    if panel.columns:
        named = _named(panel.columns)
        said.append(html.P([html.Span("Told apart by: ", className="place"), named]))
    if panel.pair:
        first, second = panel.pair
        pair = f"{first} and {second}"
        said.append(
            html.P([html.Span("Relation that changed most: ", className="place"), pair])
        )
    return html.Div(said, className="explained") if said else None


def _named(columns: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"{name} ({text.share(weight)})" for name, weight in columns)


def _titled(title: str, chart: Component) -> Component:
    return html.Div([html.H3(title, className="part-title"), chart])
