"""The guard decides on every request and refuses what it does not know."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace

import pytest

from services.access import SYSTEM
from tests.api.door import (
    BODIES,
    BODY,
    CSRF,
    LIVE_BODY,
    PERMISSIONS,
    SET_BODY,
    call,
    open_door,
)

CALLBACK = "/_dash-update-component"


@pytest.fixture
def door(settings, clock):
    """A small application with vera, otto and ada, that takes many requests."""
    many = settings.model_copy(update={"callbacks_per_minute": 10_000})
    with open_door(many, clock) as opened:
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "anonymous", "viewer"),
    [
        ("GET", "/", 302, 200),
        ("GET", "/heaters", 302, 200),
        ("GET", "/nowhere", 404, 404),
        ("GET", "/heaters/../etc/passwd", 404, 404),
        ("GET", "/login", 200, 200),
        ("GET", "/_dash-layout", 401, 200),
        ("GET", "/_dash-dependencies", 401, 200),
        ("GET", "/_reload-hash", 401, 200),
        ("GET", "/_dash-health", 200, 200),
        ("GET", "/_favicon.ico", 200, 200),
        ("GET", "/_dash-component-suites/dash/deps/none.js", 404, 404),
        ("GET", "/_dash-component-suites/os/x.js", 404, 404),
        ("GET", "/_dash-component-suites/dash/../dash.py", 404, 404),
        ("GET", "/assets/none.css", 404, 404),
        ("GET", "/_dash-update-component", 404, 404),
        ("GET", "/api/v1/things", 401, 200),
        ("GET", "/api/v1/conflict", 401, 409),
        ("GET", "/api/v1/broken", 401, 500),
        ("GET", "/api/v1/nothing", 404, 404),
        ("POST", "/api/v1/nothing", 404, 404),
        ("DELETE", "/api/v1/things", 405, 405),
        ("POST", "/heaters", 404, 404),
        ("GET", "/api/v1/auth/login", 404, 404),
        ("OPTIONS", "/api/v1/things", 401, 200),
    ],
)
def test_who_gets_what(door, method, path, anonymous, viewer):
    """Each path answers as the table says, without a session and with one."""
    assert door.client().open(path, method=method).status_code == anonymous
    assert door.browser("vera").open(path, method=method).status_code == viewer


def test_callback_knows_who_asks(door):
    """A callback of a signed-in browser runs and sees the principal."""
    answer = call(door.browser("vera"), BODY)

    assert answer.json["response"]["demo-out"]["children"] == "vera x 3"


def test_anonymous_callback_is_refused(door):
    """Without a session there is a 401 and no data."""
    assert call(door.client(), BODY).status_code == 401


@pytest.mark.parametrize("public", ["/login", "/_dash-health", "/assets/theme.css"])
def test_forged_body_opens_nothing(door, public):
    """A body that names a public path reaches no callback without a session."""
    forged = copy.deepcopy(BODY)
    forged["inputs"] = [{"id": "url", "property": "pathname", "value": public}]
    forged_both = {**BODY, "inputs": [*BODY["inputs"], *forged["inputs"]]}
    for body in (forged, forged_both):
        assert call(door.client(), body).status_code == 401
        assert call(door.client(), body, Referer=public).status_code == 401


def test_browser_without_session_is_led_to_the_sign_in(door):
    """An open page goes to the form by a side update, and comes back after it."""
    answer = call(
        door.client(),
        BODY,
        **{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"},
        Referer="http://localhost/heaters?from=now-7d",
    )

    href = answer.json["sideUpdate"]["shell-goto"]["href"]
    assert href == "/login?next=/heaters%3Ffrom%3Dnow-7d&ended=1"
    assert answer.json["response"] == {}


def test_page_without_session_leads_to_the_sign_in(door):
    """The address asked for is kept."""
    answer = door.client().get("/heaters?from=now-7d")

    assert answer.headers["Location"] == "/login?next=/heaters%3Ffrom%3Dnow-7d"


def test_link_from_a_mail_is_opened_again_from_here(door):
    """Strict cookies do not come with such a link, so the page asks once more."""
    answer = door.client().get("/heaters?a=1", headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 200
    assert 'content="0;url=/heaters?a=1"' in answer.text


@pytest.mark.parametrize(
    ("name", "status"), [("vera", 403), ("otto", 200), ("ada", 200)]
)
def test_callback_needs_its_declared_permission(door, name, status):
    """A control is refused to a viewer at the door already."""
    assert call(door.browser(name), SET_BODY).status_code == status


def test_undeclared_callback_is_refused_to_everybody(door):
    """Who forgets to declare a permission gets a 403, not a public callback."""
    body = {**SET_BODY, "output": "demo-forgotten.children"}
    body["outputs"] = {"id": "demo-forgotten", "property": "children"}

    assert call(door.browser("ada"), body).status_code == 403


def test_the_callback_map_shows_what_is_undeclared(door):
    """Walking the map finds exactly the callback that was left out on purpose."""
    on_server = {k for k, v in door.app.callback_map.items() if "callback" in v}

    assert on_server - set(PERMISSIONS) == {"demo-forgotten.children"}


def test_role_change_counts_at_the_next_request(door):
    """A viewer made operator may control with the same cookies, and back."""
    browser = door.browser("vera")
    door.identity.accounts.set_role(SYSTEM, "vera", "operator")
    assert call(browser, SET_BODY).status_code == 200
    door.identity.accounts.set_role(SYSTEM, "vera", "viewer")

    assert call(browser, SET_BODY).status_code == 403


@pytest.mark.parametrize("how", ["disable", "sign_out", "idle", "password"])
def test_ended_session_is_refused_at_the_next_request(door, how):
    """Cookies and bearer tokens of an ended session open nothing."""
    accounts = door.identity.accounts
    browser = door.browser("vera")
    session = door.session("vera")
    bearer = {
        "Authorization": f"Bearer {door.identity.tokens.issue(session).access_token}"
    }
    assert door.client().get("/api/v1/things", headers=bearer).status_code == 200
    if how == "disable":
        accounts.disable(SYSTEM, "vera")
    elif how == "password":
        accounts.change_password(SYSTEM, "vera", "seven quiet herons fly")
    elif how == "idle":
        door.identity.clock.forward(minutes=31)
    else:
        accounts.sign_out(accounts.principal_of(session.id).principal)
        browser.post("/logout")

    assert door.client().get("/api/v1/things", headers=bearer).status_code == 401
    assert browser.get("/api/v1/things").status_code == 401


@pytest.mark.parametrize("value", [None, "", "wrong", "other"])
def test_change_needs_the_csrf_header(door, value):
    """A missing, wrong or another session's value is refused."""
    browser = door.browser("vera")
    if value == "other":
        value = door.identity.tokens.csrf(door.session("vera").id)
    headers = {} if value is None else {CSRF: value}

    assert browser.post(CALLBACK, json=BODY, headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
    ],
)
@pytest.mark.parametrize("path", [CALLBACK, "/login", "/logout", "/api/v1/auth/login"])
def test_changes_from_other_sites_are_refused(door, path, headers):
    """Even with the right CSRF value, and for signing in and out as well."""
    browser = door.browser("vera")
    headers = {CSRF: browser.get_cookie("csrf_access_token").value, **headers}

    assert browser.post(path, json=BODY, headers=headers).status_code == 403


def test_own_origin_passes(door):
    """Browsers that send only an Origin are served."""
    assert (
        call(door.browser("vera"), BODY, Origin="http://localhost").status_code == 200
    )


def test_cookie_and_bearer_together_are_refused(door):
    """It must be plain which of the two decides."""
    browser = door.browser("vera")

    assert browser.get("/api/v1/things", headers=door.bearer("ada")).status_code == 400


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", "Bearer x.y.z", "Basic YTpi", "Bearer é"]
)
def test_odd_authorization_headers_are_refused(door, value):
    """A 401 with the scheme to use, never an error."""
    answer = door.client().get("/api/v1/things", headers={"Authorization": value})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_refresh_token_is_no_access_token(door):
    """The long-lived token opens nothing, as header or as access cookie."""
    pair = door.identity.tokens.issue(door.session("vera"))
    header = {"Authorization": f"Bearer {pair.refresh_token}"}
    assert door.client().get("/api/v1/things", headers=header).status_code == 401
    client = door.client()
    client.set_cookie("access_token", pair.refresh_token)

    assert client.get("/api/v1/things").status_code == 401


def test_token_of_one_user_opens_no_session_of_another(door):
    """User and session in a token must belong together."""
    vera = door.session("vera")
    mixed = replace(door.session("ada"), user_id=vera.user_id)
    token = door.identity.tokens.issue(mixed).access_token
    headers = {"Authorization": f"Bearer {token}"}

    assert door.client().get("/api/v1/things", headers=headers).status_code == 401


def test_odd_referrer_leads_to_the_plain_sign_in(door):
    """A broken Referer is no reason to fail."""
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    answer = call(door.client(), BODY, **headers, Referer="http://[broken")

    assert answer.json["sideUpdate"]["shell-goto"]["href"] == "/login?ended=1"


def test_bearer_needs_no_csrf(door):
    """A browser cannot add the header from another site, so it is enough."""
    headers = door.bearer("vera")

    assert door.client().post("/api/v1/things", headers=headers).status_code == 201


def test_expired_access_is_renewed_on_the_way(door):
    """After ten minutes the same request rotates the tokens and succeeds."""
    browser = door.browser("vera")
    old = browser.get_cookie("refresh_token").value
    door.identity.clock.forward(minutes=11)
    assert call(browser, BODY).status_code == 200

    assert browser.get_cookie("refresh_token").value != old
    assert call(browser, BODY).status_code == 200


def test_parallel_requests_with_one_expired_access_all_pass(door):
    """A page sends several callbacks at once; none of them ends the session."""
    browser, late = door.browser("vera"), door.client()
    for name in ("access_token", "refresh_token", "csrf_access_token"):
        late.set_cookie(name, browser.get_cookie(name).value)
    door.identity.clock.forward(minutes=11)
    assert call(browser, BODY).status_code == 200
    assert call(late, BODY).status_code == 200
    door.identity.clock.forward(minutes=11)

    assert call(browser, BODY).status_code == 200
    assert call(late, BODY).status_code == 200


def test_stolen_old_refresh_cookie_ends_the_session(door):
    """A copy used after the grace puts thief and owner out."""
    browser, thief = door.browser("vera"), door.client()
    thief.set_cookie("refresh_token", browser.get_cookie("refresh_token").value)
    door.identity.clock.forward(minutes=11)
    assert browser.get("/api/v1/things").status_code == 200
    door.identity.clock.forward(minutes=1)

    assert thief.get("/api/v1/things").status_code == 401
    assert browser.get("/api/v1/things").status_code == 401


def test_live_tick_keeps_no_session_open(door):
    """Timers alone end after the idle time; a person's click keeps it open."""
    watched, left = door.browser("vera"), door.browser("otto")
    for _ in range(4):
        door.identity.clock.forward(minutes=9)
        call(watched, BODY)
        last = call(left, LIVE_BODY)

    assert last.status_code == 401
    assert call(watched, BODY).status_code == 200


def test_preferences_are_on_the_request(door):
    """The guard leaves what the person chose where callbacks look for it."""
    import flask

    accounts = door.identity.accounts
    session = door.session("vera")
    caller = accounts.principal_of(session.id).principal
    accounts.set_preferences(caller, {"pressure_unit": "psi"})
    with door.app.server.test_client() as client:
        client.get("/api/v1/things", headers=door.bearer("vera"))

        assert flask.g.preferences["pressure_unit"] == "psi"


def test_large_bodies_are_refused(door):
    """One byte over the limit is a 413 at every door, declared or not."""
    limit = door.identity.settings.max_body_bytes
    headers = door.bearer("vera")
    big = b'"' + b"x" * limit
    for path in (CALLBACK, "/api/v1/things"):
        answer = door.client().post(
            path, data=big, headers=headers, content_type="application/json"
        )
        assert answer.status_code == 413
    assert call(door.browser("vera"), BODY).status_code == 200


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"null", 400), (b"[]", 400),
        (b'"x"', 400), (b"{}", 400), (b'{"output": 1}', 400), (b"1" * 5000, 400),
        (b'{"output": "nothing.children"}', 400),
        (b'{"output": "demo-clock.children", "inputs": []}', 400),
        (b"[" * 100_000, 400),
        (json.dumps({**BODY, "inputs": "x"}).encode(), 400),
        (json.dumps({**BODY, "changedPropIds": {"a": 1}}).encode(), 400),
        (json.dumps({**BODY, "outputs": None}).encode(), 400),
    ],
)  # fmt: skip
def test_bodies_that_no_page_sends_are_refused(door, raw, status):
    """Malformed JSON, unknown callbacks and wrong types: a problem, not a 500."""
    answer = door.client().post(
        CALLBACK, data=raw, headers=door.bearer("ada"), content_type="application/json"
    )

    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_body_of_another_type_is_refused(door):
    """Forms and plain text, which other sites can send, are a 415."""
    headers = door.bearer("ada")
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = door.client().post(
            CALLBACK, data=json.dumps(BODY), headers=headers, content_type=kind
        )
        assert answer.status_code == 415


def _odd(rng: random.Random) -> object:
    return rng.choice(
        [None, True, 0, -1, 1e308, "", "x", "demo-in", [], [[]], {}, {"id": 1}, "@",
         [None], {"id": "demo-in"}, {"id": {}, "property": []}, "..", "\ud800"]
    )  # fmt: skip


def _mutate(node: object, rng: random.Random) -> object:
    """The body with one random place changed, dropped, doubled or renamed."""
    if rng.random() < 0.25 or not isinstance(node, dict | list) or not node:
        return _odd(rng)
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    key = rng.choice(keys)
    action = rng.randrange(4)
    if action == 0:
        del node[key]
    elif action == 1 and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    elif action == 1:
        node[str(_odd(rng))] = node.pop(key)
    else:
        node[key] = _mutate(node[key], rng)
    return node


def test_mutated_bodies_never_break_the_server(door):
    """Two thousand damaged bodies give answers below 500 only."""
    rng = random.Random(7)
    client, headers = door.client(), door.bearer("ada")
    seen: dict[int, int] = {}
    for n in range(2_000):
        body = copy.deepcopy(BODIES[n % len(BODIES)])
        for _ in range(rng.randrange(1, 4)):
            body = _mutate(body, rng)
        answer = client.post(CALLBACK, json=body, headers=headers)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1

    assert set(seen) <= {200, 204, 400, 403, 415}, seen
    assert seen[400] > 1_000


@pytest.mark.parametrize("kind", ["api", "callback"])
def test_one_caller_cannot_crowd_out_the_others(settings, clock, kind):
    """Over the limit there is a 429 with a time; another caller goes on."""
    few = {"callbacks_per_minute": 3, "api_per_minute": 3}
    with open_door(settings.model_copy(update=few), clock) as door:
        browsers = [door.browser("vera"), door.browser("otto")]

        def ask(browser):
            return (
                call(browser, BODY)
                if kind == "callback"
                else browser.get("/api/v1/things")
            )

        statuses = [ask(browsers[0]).status_code for _ in range(3)]
        refused = ask(browsers[0])

        assert statuses == [200, 200, 200]
        assert refused.status_code == 429
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert ask(browsers[1]).status_code == 200
