"""The picked cell of the heat map: both distributions and what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import drift_words as words
from dashboards import links, parts, text
from dashboards.drift_python import utc_text
from dashboards.figures import distributions as draw
from dashboards.ids import ident
from services.drift_views import DriftView, FeatureDetail
from services.units import Preferences

TAB = "drift"
SHORT_HASH = 12


class IDS:
    """The ids of the card that callbacks name."""

    feature = ident(TAB, "feature")
    at = ident(TAB, "at")
    goto = ident(TAB, "pick-goto")
    numeric = ident(TAB, "numeric")
    quantiles = ident(TAB, "quantiles")
    edges = ident(TAB, "edges")
    categories = ident(TAB, "categories")


def window_steps(
    view: DriftView, prefs: Preferences, path: str, search: str | None
) -> Component | None:
    """Links to the window before, the one after and the newest."""
    place = words.picked(view)
    if place is None:
        return None
    last = len(view.windows) - 1
    steps = [
        ("chevron-left", "Window before", place - 1 if place else None),
        ("chevron-right", "Window after", place + 1 if place < last else None),
        ("chevron-bar-right", "Newest window", last if place < last else None),
    ]
    shown = [_step(*step, view, prefs, path, search) for step in steps]
    return html.Nav(shown, className="window-steps", **parts.aria(label="Windows"))


def _step(
    icon: str,
    what: str,
    place: int | None,
    view: DriftView,
    prefs: Preferences,
    path: str,
    search: str | None,
) -> Component:
    content = [parts.icon(icon), parts.hidden(what)]
    if place is None:
        attributes = parts.aria(disabled="true")
        return html.Span(content, className="step disabled", **attributes)
    start = view.windows[place].start
    address = links.href(path, links.with_query(search, at=utc_text(start)))
    title = f"{what}: {words.named_window(start, view.window, prefs)}"
    return dcc.Link(content, href=address, className="step", title=title)


def detail_card(view: DriftView, prefs: Preferences) -> Component:
    """The picked cell shown whole."""
    return parts.card(
        "One feature in one window",
        _pickers(view, prefs),
        *(_detail(view, view.detail, prefs) if view.detail else [_nothing(view)]),
        class_name="drift-detail",
    )


def _pickers(view: DriftView, prefs: Preferences) -> Component:
    """Selects: they do what a click on the heat map does."""
    features = [{"label": row.name, "value": row.name} for row in view.features]
    pairs = zip(words.columns(view, prefs), view.windows, strict=True)
    windows = [{"label": name, "value": utc_text(w.start)} for name, w in pairs]
    at = utc_text(view.picked_start)
    return html.Div(
        [
            _picker(IDS.feature, "Feature", features, view.picked_feature),
            _picker(IDS.at, "Window", windows[::-1], at),
            # Inserted together with the selects: so nothing runs when they appear.
            dcc.Location(id=IDS.goto, refresh="callback-nav"),
        ],
        className="drift-pickers",
    )


def _picker(
    part: str, word: str, options: list[dict[str, str]], value: str | None
) -> Component:
    select = dbc.Select(id=part, options=options, value=value)
    return html.Label([html.Span(word, className="control-label"), select])


def _nothing(view: DriftView) -> Component:
    """Why the picked cell has no picture."""
    place = words.picked(view)
    rows = view.windows[place].rows if place is not None else 0
    if place is not None and not rows:
        return parts.empty_state(
            "No rows in this window", "Pick a window that has predictions."
        )
    return parts.empty_state(
        "No distribution for this cell",
        "The feature has no values in the reference or in this window. Pick another "
        "cell of the heat map.",
    )


def _detail(
    view: DriftView, detail: FeatureDetail, prefs: Preferences
) -> list[Component | None]:
    numeric = detail.type == "numeric"
    pictures = (_numeric if numeric else _categorical)(detail, prefs)
    when = words.named_window(detail.start, view.window, prefs)
    rows = f"{text.number(detail.rows, 0)} rows"
    before = f"{text.number(detail.reference_rows, 0)} rows"
    kind = words.STATE_CHIPS.get(detail.state, "unknown")
    said = [
        parts.chip(kind, words.STATE_WORDS.get(detail.state, detail.state)),
        html.Span(detail.sentence),
    ]
    sides = [
        html.Span([html.I(className="key key-window"), f"Window: {when}, {rows}"]),
        html.Span(
            [
                html.I(className="key key-reference"),
                f"Reference: {detail.reference_words}, {before}",
            ]
        ),
    ]
    return [
        html.P(said, className="detail-words"),
        html.P(sides, className="history-notes sides"),
        *pictures,
        html.Div([_measures(detail), _facts(view, detail)], className="detail-numbers"),
        html.P(_formula(view, detail), className="history-notes"),
    ]


def _numeric(detail: FeatureDetail, prefs: Preferences) -> list[Component]:
    both = f"Distribution of {detail.feature} in the reference and in the window"
    found = draw.edge_shares(detail)
    return [
        parts.chart(
            IDS.numeric,
            draw.numeric(detail, prefs.theme),
            f"{both}, and the difference by bar. {detail.sentence}",
            _quantiles(detail),
        ),
        html.Div(
            [
                _titled(
                    "Quantiles of the window over the reference (dashed: no change)",
                    parts.chart(
                        IDS.quantiles,
                        draw.quantiles(detail, prefs.theme),
                        f"Quantiles of {detail.feature}: window against reference.",
                    ),
                ),
                _titled(
                    "Outside the bars",
                    parts.chart(
                        IDS.edges,
                        draw.paired(found, prefs.theme),
                        "Shares of tails, missing and infinite values.",
                        _shares(found),
                    ),
                ),
            ],
            className="detail-pair",
        ),
    ]


def _categorical(detail: FeatureDetail, prefs: Preferences) -> list[Component]:
    rows = draw.category_shares(detail)
    both = f"Shares of the categories of {detail.feature}"
    return [
        parts.chart(
            IDS.categories,
            draw.paired(rows, prefs.theme),
            f"{both} in the reference and in the window. {detail.sentence}",
            _shares(rows),
        )
    ]


def _titled(title: str, chart: Component) -> Component:
    return html.Div([html.H3(title, className="part-title"), chart])


def _shares(rows: Sequence[draw.Share]) -> Component:
    return words.listed(
        f"{name}: reference {words.percent(before)}, window {words.percent(now)}"
        for name, before, now in rows
    )


def _quantiles(detail: FeatureDetail) -> Component:
    every = max(len(detail.quantiles) // 9, 1)
    return words.listed(
        f"{words.percent(level)}: reference {before:.5g}, window {now:.5g}"
        for level, before, now in detail.quantiles[::every]
    )


def _measures(detail: FeatureDetail) -> Component:
    rows = [
        [
            words.measure_name(row.measure),
            words.amount(row.value),
            words.amount(row.expected),
            words.chance(row.p),
        ]
        for row in detail.measures
    ]
    return parts.data_table(
        "Every measure of this cell",
        ("Measure", "Value", "Without drift", "p"),
        rows,
        numeric=(1, 2, 3),
    )


def _facts(view: DriftView, detail: FeatureDetail) -> Component:
    row = next((r for r in view.features if r.name == detail.feature), None)
    smallest = detail.detectable_shift
    unit = "reference sd" if detail.type == "numeric" else "of the rows"
    return parts.facts(
        parts.fact("Importance", text.share(row.importance if row else None)),
        parts.fact(
            "Harm (expected change of the metric)",
            text.number(detail.harm, 3, sign=True),
        ),
        parts.fact(
            "Smallest shift these rows can show",
            f"{text.number(smallest, 2)} {unit}" if smallest is not None else None,
        ),
        parts.fact("Missing, reference", words.percent(detail.missing[0])),
        parts.fact("Missing, window", words.percent(detail.missing[1])),
    )


def _formula(view: DriftView, detail: FeatureDetail) -> str:
    tail = f" Reference {view.reference_hash[:SHORT_HASH]}, bins frozen with it."
    return detail.formula + (tail if view.reference_hash else "")
