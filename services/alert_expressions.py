"""Arithmetic over metrics: a tiny grammar, read by Python's parser, never run by it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.errors import InvalidInput

Floats = npt.NDArray[np.float64]
LONGEST = 200
MOST_PARTS = 40
DEEPEST = 10
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
}
_CALLS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "abs": (1, np.abs),
    "min": (2, np.minimum),
    "max": (2, np.maximum),
}


@dataclass(frozen=True)
class Expression:
    """A checked expression: numbers, names, ``+ - * /``, brackets, abs, min, max."""

    text: str
    names: tuple[str, ...]

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Its value for each row; NaN where a name has none or it divides by 0."""
        tree = ast.parse(self.text, mode="eval").body
        size = len(next(iter(values.values())))
        with np.errstate(all="ignore"):
            found = np.broadcast_to(_value(tree, values), size).astype(np.float64)
        return np.where(np.isfinite(found), found, np.nan)


def read_expression(text: str) -> Expression:
    """Check an expression.

    Raises:
        InvalidInput: it is too long, or holds something the grammar does not know.
    """
    if len(text) > LONGEST:
        raise InvalidInput(f"expression: at most {LONGEST} characters.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidInput(
            "expression: this is no arithmetic, as (outlet_temperature_c - 5) / 2."
        ) from None
    names: dict[str, None] = {}
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS:
        raise InvalidInput("expression: it has too many parts.")
    _check(tree, names, 0)
    if not names:
        raise InvalidInput("expression: it names no metric.")
    return Expression(text.strip(), tuple(names))


def _check(node: ast.AST, names: dict[str, None], depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidInput("expression: it is nested too deeply.")
    if isinstance(node, ast.Constant):
        value = node.value
        if type(value) not in (int, float) or not -1e12 <= value <= 1e12:  # type: ignore[operator]
            raise InvalidInput("expression: only plain numbers may stand in it.")
        return
    if isinstance(node, ast.Name):
        names[node.id] = None
        return
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        _check(node.operand, names, depth + 1)
        return
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        _check(node.left, names, depth + 1)
        _check(node.right, names, depth + 1)
        return
    if isinstance(node, ast.Call) and _called(node) is not None:
        for argument in node.args:
            _check(argument, names, depth + 1)
        return
    raise InvalidInput(
        "expression: only metrics, numbers, + - * /, brackets, abs(x), min(x, y) and "
        "max(x, y) may stand in it."
    )


def _called(node: ast.Call) -> Callable[..., Any] | None:
    if not isinstance(node.func, ast.Name) or node.keywords:
        return None
    count, found = _CALLS.get(node.func.id, (-1, None))
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    return None if starred or len(node.args) != count else found


def _value(node: ast.AST, values: Mapping[str, Floats]) -> Any:
    if isinstance(node, ast.Constant):
        return np.float64(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        return _BINARY[type(node.op)](
            _value(node.left, values), _value(node.right, values)
        )
    if isinstance(node, ast.Call):
        called = _called(node)
        if called is not None:
            return called(*(_value(argument, values) for argument in node.args))
    raise ValueError("the expression was not checked")
