"""The Rules view of the Alerts tab: every rule, one rule, and all of them as YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboards import alert_words, links, parts, rule_form, text
from dashboards.dialogs import question
from dashboards.ids import ident
from dashboards.rule_fields import SOURCES, TAB
from dashboards.rule_form import RULE_IDS
from dashboards.rule_words import condition, scope_words
from services.alert_replay import Replay
from services.alert_rulebook import RuleView
from services.alert_rules import RuleSpec
from services.units import Preferences

NEW, YAML = "new", "yaml"
"""What stands in the address instead of a rule's key."""
SHOWN = 20
KINDS: Mapping[str, str] = {"device": "thermometer-half", "model": "cpu"}


class LIST_IDS:  # noqa: N801 - a namespace of ids, as every tab's
    """The ids of the view that callbacks name, besides those of the form."""

    place = ident(TAB, "rules-place")
    yaml = ident(TAB, "rules-yaml")
    apply = ident(TAB, "rules-apply")
    applied = ident(TAB, "rules-applied")
    saved = ident(TAB, "rules-saved")


def frame() -> Component:
    """The view before its first answer."""
    return html.Div(
        [
            html.Div(id=LIST_IDS.place),
            question(RULE_IDS, "Remove", "danger"),
            dcc.Store(id=LIST_IDS.saved),
        ]
    )


def declared() -> list[Component]:
    """The parts with ids that only a drawn form or file has."""
    return [
        *rule_form.declared(),
        dbc.Textarea(id=LIST_IDS.yaml),
        html.Button(id=LIST_IDS.apply),
        html.Div(id=LIST_IDS.applied),
    ]


def rule_href(key: str) -> str:
    """The page of a rule, of a new one or of the file."""
    return links.href(
        alert_words.PATH, links.build_search({"view": "rules", "rule": key})
    )


def rules(
    found: Sequence[RuleView], prefs: Preferences, *, may_edit: bool
) -> Component:
    """Every rule, those that are on first."""
    head = _head(found, may_edit=may_edit)
    if not found:
        shown: Component = parts.empty_state(
            "No rule", "Without rules nothing is watched. Make one, or apply a file."
        )
    else:
        ordered = sorted(
            found, key=lambda r: (not r.spec.enabled, r.spec.source, r.spec.name)
        )
        shown = parts.data_table(
            "Alert rules",
            ("Rule", "Severity", "Fires when", "For", "State", "Alerts"),
            [_row(rule, prefs) for rule in ordered],
        )
    return html.Div([head, shown], className="panel fleet-list")


def _head(found: Sequence[RuleView], *, may_edit: bool) -> Component:
    on = sum(rule.spec.enabled for rule in found)
    return html.Div(
        [
            html.Span(
                f"{text.number(len(found), 0)} rules, {text.number(on, 0)} of them on",
                className="list-words",
                role="status",
            ),
            html.Div(
                [
                    dcc.Link(
                        [parts.icon("file-earmark-code"), " As a file"],
                        href=rule_href(YAML),
                        className="btn btn-outline-secondary",
                    ),
                    dcc.Link(
                        [parts.icon("plus"), " New rule"],
                        href=rule_href(NEW),
                        className="btn btn-primary",
                    )
                    if may_edit
                    else None,
                ],
                className="button-row",
            ),
        ],
        className="list-head",
    )


def _row(rule: RuleView, prefs: Preferences) -> Sequence[Component | str]:
    spec = rule.spec
    severity: Component = html.Span("By harm", className="tag")
    if spec.severity in parts.SEVERITY:
        severity = alert_words.severity_chip(spec.severity)
    ever = links.build_search({"state": "all", "rule": spec.key})
    name = [
        html.Span(
            [
                parts.icon(KINDS[spec.source]),
                text.NO_BREAK,
                dcc.Link(spec.name, href=rule_href(spec.key)),
            ]
        ),
        html.Span(scope_words(spec.source, spec.scope), className="row-note"),
    ]
    return (
        html.Div(name, className="rule-name"),
        severity,
        condition(spec, prefs),
        text.duration(spec.for_s) if spec.for_s else f"at{text.NO_BREAK}once",
        parts.chip("good", "On") if spec.enabled else parts.chip("paused", "Off"),
        dcc.Link("Look", href=links.href(alert_words.PATH, ever)),
    )


def rule(
    view: RuleView | None,
    prefs: Preferences,
    proposed: RuleSpec | None = None,
    *,
    may_edit: bool,
) -> Component:
    """One rule in its form; ``None``: a new one.

    ``proposed`` stands in the form instead of the rule, and is not saved yet.
    """
    note: Component | None = None
    about = "It watches from the moment it is saved."
    if view is not None:
        about = (
            f"{SOURCES[view.spec.source]} · changed by {view.updated_by} on "
            f"{text.local_time(view.updated_at, prefs)}"
        )
    if view is not None and proposed is not None:
        before = condition(view.spec, prefs)
        words = f"Proposed: {condition(proposed, prefs)}. Now: {before}. Not saved yet."
        note = parts.chip("watch", words)
    spec = proposed or (view.spec if view else None)
    revision = view.revision if view else 0
    return html.Div(
        [
            _back(),
            html.H2(view.spec.name if view else "New rule", className="card-title"),
            html.P(about, className="row-note"),
            note,
            rule_form.form(spec, revision, prefs, may_edit=may_edit),
        ],
        className="panel",
    )


def missing(key: str) -> Component:
    """There is no such rule, or it has just been removed."""
    return html.Div(
        [
            _back(),
            parts.empty_state("No such rule", f"No rule has the key {key[:64]}."),
        ],
        className="panel",
    )


def file(yaml: str, *, may_edit: bool) -> Component:
    """All rules as YAML, to copy, and to change and apply."""
    return html.Div(
        [
            _back(),
            html.H2("Rules as a file", className="card-title"),
            html.P(
                "Copy it, or change it and apply it: rules in it are made or changed, "
                "all of them or none; rules that are not in it stay.",
                className="row-note",
            ),
            html.Label(
                "Rules as YAML", htmlFor=LIST_IDS.yaml, className="visually-hidden"
            ),
            dbc.Textarea(
                id=LIST_IDS.yaml,
                value=yaml,
                rows=28,
                class_name="code",
                readonly=not may_edit,
                spellcheck="false",
            ),
            html.Div(id=LIST_IDS.applied, role="status", className="form-message"),
            html.Button(
                "Apply",
                id=LIST_IDS.apply,
                type="button",
                hidden=not may_edit,
                className="btn btn-primary",
            ),
        ],
        className="panel stack",
    )


def _back() -> Component:
    return dcc.Link(
        [parts.icon("chevron-left"), " All rules"],
        href=links.href(alert_words.PATH, links.build_search({"view": "rules"})),
        className="back-link",
    )


def replayed(found: Replay, prefs: Preferences) -> Component:
    """What the rule would have done, before it is saved."""
    days = round((found.end - found.start).total_seconds() / 86_400)
    times = "once" if found.activations == 1 else f"{found.activations:,} times"
    judged = f"{text.number(found.judged, 0)} subjects watched"
    words = f"It would have fired {times} in the last {days} days ({judged})."
    if not found.activations:
        words = f"It would not have fired in the last {days} days ({judged})."
    how = [words]
    if found.resolution_s:
        how.append(f"Judged on steps of {text.duration(found.resolution_s)}.")
    how += [found.note] if found.note else []
    return html.Div(
        [
            html.P(how[0], className="rule-fired"),
            html.P(" ".join(how[1:]), className="row-note"),
            _subjects(found) if found.subjects and found.activations else None,
            _periods(found, prefs) if found.periods else None,
        ],
        className="stack",
    )


def _subjects(found: Replay) -> Component:
    fired = [s for s in found.subjects if s.activations]
    worst = sorted(fired, key=lambda s: (-s.activations, s.name))[:SHOWN]
    more = len(fired) - len(worst)
    title = f"For whom{f' (first {SHOWN} of {len(fired):,})' if more > 0 else ''}"
    rows = [(s.name or s.subject, text.number(s.activations, 0)) for s in worst]
    return parts.data_table(
        title, ("Subject", "Times"), rows, numeric={1}, show_caption=True
    )


def _periods(found: Replay, prefs: Preferences) -> Component:
    rows = [
        (
            p.name or p.subject,
            text.local_time(p.start, prefs),
            text.duration((p.end - p.start).total_seconds())
            if p.end
            else "still holds",
        )
        for p in found.periods[:SHOWN]
    ]
    more = len(found.periods) > SHOWN
    title = f"When{f' (newest {SHOWN})' if more else ''}"
    return parts.data_table(
        title, ("Subject", "From", "Lasted"), rows, show_caption=True
    )
