"""What is known of one alert, as names and values."""

from __future__ import annotations

from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from dashboards import parts, text
from dashboards.alert_words import VERDICTS, amount, list_href, metric_name
from data.alert_records import Alert
from services.alert_views import AlertDetailView, Evidence, shelved
from services.units import Preferences


def condition(alert: Alert, evidence: Evidence, prefs: Preferences) -> str:
    """The limit in words: ``above 75 °C``; ``not kept`` where the rule kept none."""
    low, high = (
        amount(alert.metric, value, prefs, evidence.unit)
        for value in (evidence.low, evidence.high)
    )
    if evidence.low is not None and evidence.high is not None:
        where = "inside" if evidence.operator == "inside" else "outside"
        return f"{where} {low} to {high}"
    if evidence.threshold is None:
        return "not kept"
    limit = amount(alert.metric, evidence.threshold, prefs, evidence.unit)
    words = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}
    return f"{words.get(evidence.operator, 'limit')} {limit}"


def facts(view: AlertDetailView, prefs: Preferences) -> Component:
    """Everything that is known of it, as names and values."""
    alert, evidence = view.alert, view.evidence
    rule = dcc.Link(alert.rule_name, href=list_href(view="rules", rule=alert.rule_key))
    rows = [
        parts.fact("Rule", rule),
        parts.fact("Measures", metric_name(alert.metric)),
        parts.fact("Condition", condition(alert, evidence, prefs)),
        parts.fact(
            "Newest value", amount(alert.metric, alert.value, prefs, evidence.unit)
        ),
        parts.fact("Seen", text.local_time(alert.last_at, prefs)),
        parts.fact("Began", text.local_time(alert.started_at, prefs)),
        parts.fact("Raised", text.local_time(alert.raised_at, prefs)),
        _when("Cleared", alert.cleared_at, prefs),
        parts.fact("Activations", text.number(alert.activations, 0)),
        parts.fact("Owner", alert.owner or "nobody"),
        _when("Acknowledged", alert.acknowledged_at, prefs, alert.acknowledged_by),
        _when("Resolved", alert.resolved_at, prefs, alert.resolved_by),
        parts.fact("Verdict", VERDICTS[alert.verdict]) if alert.verdict else None,
        parts.fact("Note", html.Span(alert.note, className="said"))
        if alert.note
        else None,
    ]
    rows += [parts.fact(name, words) for name, words in evidence.facts]
    if shelved(alert, view.now):
        until = text.local_time(alert.shelved_until, prefs)
        reason = html.Span(alert.shelve_reason, className="said")
        rows += [
            parts.fact("Shelved until", f"{until}, by {alert.shelved_by}"),
            parts.fact("Reason", reason),
        ]
    return parts.card("Facts", parts.facts(*(row for row in rows if row is not None)))


def _when(
    name: str, at: datetime | None, prefs: Preferences, who: str | None = None
) -> Component | None:
    if at is None:
        return None
    words = text.local_time(at, prefs)
    return parts.fact(name, f"{words}, by {who}" if who else words)
