"""Small pages without Dash: sign-in and errors that a browser navigates to."""

from __future__ import annotations

from flask import render_template_string

_FRAME = """<!doctype html>
<html lang="en" data-bs-theme="dark">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{% if goes_on %}<meta http-equiv="refresh" content="0;url={{ goes_on }}">{% endif %}
<title>{{ title }} · IoTSphere</title>
<link rel="icon" type="image/svg+xml" href="/assets/logo.svg">
<link rel="stylesheet" href="/bootstrap/static/css/bootstrap.min.css">
<link rel="stylesheet" href="/assets/theme.css">
<style>
body.plain { min-height: 100vh; margin: 0; display: grid; place-items: center;
  background: var(--bs-body-bg, #10151c); color: var(--bs-body-color, #e6ebf2);
  font-family: var(--bs-body-font-family, system-ui, sans-serif); }
.plain-card { width: min(24rem, calc(100vw - 2rem)); padding: 2rem;
  border: 1px solid var(--bs-border-color, #2a3442); border-radius: .75rem;
  background: var(--bs-tertiary-bg, #171e28); box-sizing: border-box; }
.plain-card h1 { font-size: 1.25rem; margin: 0 0 .25rem; }
.plain-card .lead-in { color: var(--bs-secondary-color, #a9b4c2);
  margin: 0 0 1.5rem; font-size: .95rem; }
.plain-card label { display: block; margin-bottom: .25rem; font-size: .9rem; }
.plain-card input { width: 100%; margin-bottom: 1rem; min-height: 2.75rem; }
.plain-card button { width: 100%; min-height: 2.75rem; }
.plain-note { padding: .625rem .875rem; margin: 0 0 1rem; border-radius: .5rem;
  border: 1px solid var(--bs-border-color, #2a3442); font-size: .9rem; }
.plain-note.wrong { border-color: var(--bs-danger, #e5646e); }
.plain-note.demo { margin: 1.5rem 0 0; color: var(--bs-secondary-color, #a9b4c2); }
</style>
</head>
<body class="plain"><main class="plain-card">__CONTENT__</main></body>
</html>
"""

_MESSAGE = """<h1>{{ title }}</h1>
<p class="lead-in">{{ message }}</p>
{% if reference %}<p class="lead-in">Reference: {{ reference }}</p>{% endif %}
<a class="btn btn-primary" href="{{ goes_on or '/' }}">{{ link }}</a>"""


def page(content: str, **values: object) -> str:
    """Render a Jinja text inside the frame; every value is escaped."""
    return render_template_string(_FRAME.replace("__CONTENT__", content), **values)


def message_page(title: str, message: str, reference: str = "") -> str:
    """A page that says what happened and leads back to the start."""
    return page(
        _MESSAGE,
        title=title,
        message=message,
        reference=reference,
        link="To the start page",
    )


def bounce_page(address: str) -> str:
    """A page that opens ``address`` of this server again, now from this site.

    Strict cookies do not travel with a link from another site, as one in a mail;
    they do with the next request that our own page makes.
    """
    return page(
        _MESSAGE,
        title="Opening",
        message="One moment.",
        goes_on=address,
        link="Open the page",
    )
