"""What alerts teach over time, as charts and lists."""

from __future__ import annotations

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import links, parts, text
from dashboards.alert_words import (
    IDS,
    PATH,
    alert_href,
    list_href,
    severity_chip,
    subject_link,
)
from dashboards.figures import alert_counts
from services.alert_patterns import (
    CHATTER_MEANING,
    MOST_STALE,
    STALE_MEANING,
    Bar,
    Chatter,
    PatternsView,
    Precision,
)
from services.alert_thresholds import Raise
from services.units import Preferences

PERIODS = {
    "7d": "7 days",
    "30d": "30 days",
    "90d": "90 days",
    "365d": "1 year",
}
FEW_VERDICTS = 10
MOST_CHATTERING = 12


def body(view: PatternsView, prefs: Preferences, search: str | None) -> Component:
    """The patterns of a period."""
    if not view.activations and not view.stale:
        state = parts.empty_state(
            f"No alert in the last {PERIODS[view.period]}",
            "Choose a longer period, or look at the rules.",
            dcc.Link("Rules", href=list_href(view="rules")),
        )
        return html.Div(
            [periods(view.period, search), html.Div(state, className="panel")],
            className="stack",
        )
    return html.Div(
        [
            periods(view.period, search),
            _tiles(view),
            _calendar(view, prefs),
            html.Div(
                [
                    html.Div(card, className="half")
                    for card in (
                        _pareto("By rule", IDS.by_rule, view.rules, prefs),
                        _pareto("By subject", IDS.by_subject, view.subjects, prefs),
                    )
                ],
                className="grid",
            ),
            _precisions(view),
            html.Div(
                [
                    html.Div(_chattering(view.chattering), className="half"),
                    html.Div(_stale(view, prefs), className="half"),
                ],
                className="grid",
            ),
        ],
        className="stack alert-patterns",
    )


def periods(chosen: str, search: str | None) -> Component:
    """The periods as links."""
    return html.Nav(
        [
            dcc.Link(
                [words, parts.hidden("(shown)") if key == chosen else None],
                href=links.href(PATH, links.with_query(search, period=key)),
                className="preset" + (" active" if key == chosen else ""),
            )
            for key, words in PERIODS.items()
        ],
        className="presets",
        **parts.aria(label="Period"),
    )


def _tiles(view: PatternsView) -> Component:
    def waited(span: object, count: int, verb: str) -> Component:
        said = f"{text.number(count, 0)} of {text.number(view.alerts, 0)} {verb}"
        value = text.NO_DATA if span is None else text.duration(span)  # type: ignore[arg-type]
        return parts.figure_tile(f"Median time until {verb}", value, said)

    more = "; only the newest are counted" if view.cut else ""
    return parts.tiles(
        parts.figure_tile(
            "Activations",
            text.number(view.activations, 0),
            f"of {text.number(view.alerts, 0)} alerts{more}",
        ),
        parts.figure_tile(
            "Per day", text.number(view.per_day, 1), f"over {PERIODS[view.period]}"
        ),
        waited(view.median_to_acknowledge, view.acknowledged, "acknowledged"),
        waited(view.median_to_resolve, view.resolved, "resolved"),
    )


def _calendar(view: PatternsView, prefs: Preferences) -> Component:
    day, most = max(view.days, key=lambda item: item[1])
    quiet = sum(count == 0 for _, count in view.days)
    said = (
        f"{text.number(view.activations, 0)} activations in {len(view.days)} days; "
        f"most on {day.day} {day:%b %Y}: {most}; {quiet} days without one"
    )
    figure = alert_counts.calendar(view.days, prefs.theme)
    return parts.card(
        "Activations by day",
        parts.chart(IDS.calendar, figure, said),
        html.P(f"{said}.", className="row-note"),
    )


def _pareto(
    title: str, part: str, bars: Sequence[Bar], prefs: Preferences
) -> Component:
    if not bars:
        return parts.card(
            title, parts.empty_state("No activation", "Nothing to count here.")
        )
    first = bars[0]
    said = (
        f"{title}, the commonest first: {first.name} with {first.count} activations, "
        f"{text.share(first.share)} of all"
    )
    table = parts.data_table(
        title,
        ["Name", "Activations", "Share reached"],
        [[b.name, text.number(b.count, 0), text.share(b.share)] for b in bars],
        numeric={1, 2},
    )
    figure = alert_counts.pareto(bars, prefs.theme)
    return parts.card(
        title,
        parts.chart(part, figure, said, table),
        html.P(
            "Number of activations, and the share reached with it.",
            className="row-note",
        ),
    )


def _precisions(view: PatternsView) -> Component:
    title = "Were the rules right?"
    if not view.precisions:
        state = parts.empty_state(
            "No verdict yet",
            "Whoever resolves an alert says whether it was useful or noise; from that "
            "the precision of each rule is told here.",
        )
        return parts.card(title, state)
    return parts.card(
        title,
        parts.data_table(
            "Precision of each rule from the verdicts",
            ["Rule", "Useful", "Noise", "Precision (95 % interval)", "Another limit"],
            [_precision(one) for one in view.precisions],
            numeric={1, 2},
        ),
        html.P(
            "Another limit: the smallest change that would have spared so many noise "
            "alerts, and the useful ones it would have cost. Told from the value that "
            "broke the limit most; nothing changes before the rule is saved.",
            className="row-note",
        ),
    )


def _precision(one: Precision) -> list[Component | str]:
    measured = one.precision
    words = (
        f"{text.share(measured.value)} ({text.share(measured.low)} to "
        f"{text.share(measured.high)})"
    )
    few = one.useful + one.noise < FEW_VERDICTS
    return [
        dcc.Link(one.rule_name, href=list_href(state="all", rule=one.rule_key)),
        text.number(one.useful, 0),
        text.number(one.noise, 0),
        html.Span(
            [words, html.Div("few verdicts", className="row-note") if few else None]
        ),
        _raises(one),
    ]


def _raises(one: Precision) -> Component | str:
    if not one.raises:
        return text.NO_DATA
    return html.Ul(
        [_raise(one.rule_key, choice) for choice in one.raises],
        className="alert-raises",
    )


def _raise(rule_key: str, choice: Raise) -> Component:
    limit = f"{choice.threshold:g}"
    verb = "Raise" if choice.threshold > choice.now else "Lower"
    cost = f"costs {choice.useful} of {choice.useful_of} useful"
    if not choice.useful:
        cost = "costs no useful one"
    return html.Li(
        [
            dcc.Link(
                f"{verb} to {limit}",
                href=list_href(view="rules", rule=rule_key, threshold=limit),
            ),
            f" from {choice.now:g}: spares {choice.noise} of {choice.noise_of} noise, "
            f"{cost}",
        ]
    )


def _chattering(found: Sequence[Chatter]) -> Component:
    title = "Chattering"
    meaning = html.P(f"Chattering: {CHATTER_MEANING}.", className="row-note")
    if not found:
        state = parts.empty_state(
            "Nothing chatters", f"That would be {CHATTER_MEANING}."
        )
        return parts.card(title, state)
    rows = [
        [
            dcc.Link(one.rule_name, href=_of_pair(one)),
            subject_link(one.source, one.subject, one.subject_name),
            text.number(one.near, 0),
            text.number(one.on_a_day, 0),
            text.number(one.count, 0),
        ]
        for one in found[:MOST_CHATTERING]
    ]
    more = len(found) - len(rows)
    return parts.card(
        title,
        meaning,
        parts.data_table(
            "Chattering",
            ["Rule", "About", "In 10 min", "On a day", "In all"],
            rows,
            numeric={2, 3, 4},
        ),
        html.P(f"And {text.number(more, 0)} more.", className="row-note")
        if more
        else None,
    )


def _of_pair(one: Chatter) -> str:
    about = {one.source: one.subject}
    return list_href(state="all", rule=one.rule_key, **about)


def _stale(view: PatternsView, prefs: Preferences) -> Component:
    title = "Stale"
    if not view.stale:
        state = parts.empty_state("Nothing is stale", f"That would be {STALE_MEANING}.")
        return parts.card(title, state)
    rows = [
        [
            severity_chip(one.severity),
            dcc.Link(one.message, href=alert_href(one.id)),
            subject_link(one.source, one.subject, one.subject_name),
            parts.moment(one.raised_at, view.now, prefs),
        ]
        for one in view.stale
    ]
    cut = len(view.stale) == MOST_STALE
    return parts.card(
        title,
        html.P(f"Stale: {STALE_MEANING}.", className="row-note"),
        parts.data_table("Stale", ["Severity", "Alert", "About", "Raised"], rows),
        html.P(f"The oldest {MOST_STALE}.", className="row-note") if cut else None,
    )
