"""A small real HTTP server that answers as the contract says.

What it has taken survives ``stop`` and ``start``, as in a real store.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

USER, PASSWORD = "logger", "a long password"
LARGEST = 900_000


class Problem(Exception):
    """A refusal with a status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class ContractServer:
    """Models, rows, labels and keys, and the faults a test asks for."""

    def __init__(self) -> None:
        self.specs: dict[str, dict[str, Any]] = {}
        self.puts: list[str] = []
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.versions: list[str] = []
        self.labels: list[dict[str, Any]] = []
        self.by_key: dict[str, Any] = {}
        self.arrivals: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.logins = 0
        self.queries: list[dict[str, list[str]]] = []
        self.pages: list[list[dict[str, Any]]] = [[]]
        self.fault: Callable[[str, str], int | str | None] = lambda method, path: None
        self.delay_s = 0.0
        self.delay_after_s = 0.0
        self.refuse: Callable[[dict[str, Any]], str | None] = lambda row: None
        self._port = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> ContractServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the same port as before."""
        state = self

        class Bound(Handler):
            server_state = state

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Bound)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._port = self._http.server_address[1]
        threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def stop(self) -> None:
        """Go away; connections are refused."""
        self._http.shutdown()
        self._http.server_close()

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], body: Any, key: str
    ) -> Any:
        """The answer to a request of somebody signed in."""
        name = unquote(path.split("/")[1])
        what = path.split("/")[2] if path.count("/") > 1 else ""
        if not what and method == "PUT":
            self.puts.append(name)
            self.specs[name] = body
            return body
        if name not in self.specs:
            raise Problem(404, f"There is no model {name!r}.")
        if not what:
            return self.specs[name]
        if method == "GET":
            self.queries.append(query)
            page = int(query.get("cursor", ["0"])[0])
            more = str(page + 1) if page + 1 < len(self.pages) else None
            return {"items": self.pages[page], "next_cursor": more}
        if key in self.by_key:
            return self.by_key[key]
        taker = self._inferences if what == "inferences" else self._labels
        self.arrivals.append((what, key))
        self.versions += query.get("version", [])
        self.by_key[key] = taker(name, body["rows"])
        return self.by_key[key]

    def _inferences(self, name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        special = self.specs[name]["columns"]
        stored = self.rows.setdefault(name, [])
        known = {row[special["id"]] for row in stored}
        answer: dict[str, Any] = {"read": len(rows), "taken": 0, "duplicates": 0}
        answer |= {"rejected": [], "unknown_columns": [], "missing_columns": []}
        answer |= {"changed_types": []}
        for at, row in enumerate(rows):
            reason = self.refuse(row)
            if not str(row[special["timestamp"]]).endswith("Z"):
                reason = "the timestamp is not UTC"
            if reason:
                answer["rejected"].append({"row": at, "reason": reason})
            elif row[special["id"]] in known:
                answer["duplicates"] += 1
            else:
                answer["taken"] += 1
                stored.append(row)
        return answer

    def _labels(self, _name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        self.labels += rows
        return {"read": len(rows), "taken": len(rows), "duplicates": 0, "rejected": []}


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server_state: ContractServer

    def do_GET(self) -> None:
        """Answer."""
        self._handle(None)

    def do_PUT(self) -> None:
        """Read and answer."""
        self._handle(self.rfile.read(int(self.headers["Content-Length"])))

    do_POST = do_PUT

    def _handle(self, content: bytes | None) -> None:
        state = self.server_state
        path = urlsplit(self.path).path.removeprefix("/api/v1/")
        time.sleep(state.delay_s)
        try:
            fault = state.fault(self.command, path)
            if isinstance(fault, str):
                return self._reply(200, fault.encode())
            if fault:
                raise Problem(fault, "as the test wants it")
            answer = self._judge(path, content)
            time.sleep(state.delay_after_s)
            return self._reply(200, json.dumps(answer).encode())
        except Problem as problem:
            told = {"title": "No", "detail": str(problem), "status": problem.status}
            return self._reply(problem.status, json.dumps(told).encode())

    def _judge(self, path: str, content: bytes | None) -> Any:
        state = self.server_state
        if content is not None and len(content) > LARGEST:
            raise Problem(413, "The body is too large.")
        body = None if content is None else json.loads(content)
        if path == "auth/login":
            state.logins += 1
            if body != {"username": USER, "password": PASSWORD}:
                raise Problem(401, "Wrong name or password.")
            state.tokens.add(f"token-{state.logins}")
            return {"access_token": f"token-{state.logins}", "token_type": "Bearer"}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in state.tokens:
            raise Problem(401, "Sign in first.")
        query = parse_qs(urlsplit(self.path).query)
        key = self.headers.get("Idempotency-Key", "")
        return state.answer(self.command, path, query, body, key)

    def _reply(self, status: int, content: bytes) -> None:
        try:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the client did not wait

    def log_message(self, *_: object) -> None:
        """Say nothing."""
