"""The one way a function of the tank is compiled to machine code.

Numba's cache looks at the file of the compiled function only, not at the files of
the functions it calls. So a compiled function calls compiled functions of its own
file alone: an update of the program then never runs yesterday's machine code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call and keep the machine code on disk.

    The code is kept beside the source, or in the user's cache folder where the
    source cannot be written; where neither can be, it is compiled in each process.
    """
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba: "no locator available", nowhere to keep the code
        return cast(Function, njit(nogil=True)(function))
