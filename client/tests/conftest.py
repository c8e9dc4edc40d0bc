"""A server that keeps the contract, and a client with a spool of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from contract_server import PASSWORD, USER, ContractServer

from iotsphere_client import Client


@pytest.fixture
def server():
    """A running server."""
    with ContractServer() as running:
        yield running


@pytest.fixture
def client(server, tmp_path):
    """A client of it."""
    return Client(server.url, USER, PASSWORD, spool=tmp_path / "spool", timeout_s=2.0)


@pytest.fixture
def rows():
    """Six predictions of a binary model."""
    return [
        {
            "prediction_id": f"p{i}",
            "ts": f"2026-03-0{i + 1}T12:00:00",
            "age": 20 + i,
            "income": 1000.5 * i,
            "plan": "ab"[i % 2],
            "prediction": i % 2,
            "score": i / 10,
        }
        for i in range(6)
    ]
