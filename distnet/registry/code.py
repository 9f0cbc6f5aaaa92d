"""Functions without a name in files: as Python's code, which is run only where the user says so.

Source: ``keras.src.utils.python_utils.func_dump`` and ``func_load``.
"""

from __future__ import annotations

import codecs
import marshal
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from distnet.errors import ArgumentError
from distnet.types import Json

LAMBDA = "__lambda__"
"""Keras's class name of a function that is written as code."""

_is_allowed: ContextVar[bool] = ContextVar("is_code_allowed", default=False)


@contextmanager
def code_allowed(is_allowed: bool = True) -> Iterator[None]:
    """Within the block code from files is run: ``safe_mode=False``."""
    token = _is_allowed.set(is_allowed)
    try:
        yield
    finally:
        _is_allowed.reset(token)


def is_code_allowed() -> bool:
    """Whether code from files may be run."""
    return _is_allowed.get()


def as_code(function: Any) -> dict[str, Json]:
    """A function written as code, with its defaults and what it has from around it.

    Raises:
        ArgumentError: it has no code, or these have no JSON form.
    """
    cells = function.__closure__ or ()
    closure: list[Any] = [cell.cell_contents for cell in cells]
    defaults: list[Any] = list(function.__defaults__ or ())
    for value in (*closure, *defaults):
        if not isinstance(value, bool | int | float | str | type(None)):
            raise ArgumentError(
                f"a lambda that uses {value!r:.80} cannot be saved. Make it a function with a name, registered with "
                "register_keras_serializable."
            )
    code = codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii")
    config: dict[str, Json] = {"code": code, "defaults": defaults or None, "closure": closure or None}
    return {"class_name": LAMBDA, "config": config}


def of_code(config: Mapping[str, Any], names: Mapping[str, Any]) -> Callable[..., Any]:
    """The function of some code.

    Args:
        config: of ``as_code``.
        names: what it finds as global names.

    Raises:
        ArgumentError: code is not allowed, or it is none.
    """
    if not is_code_allowed():
        raise ArgumentError(
            "a Lambda holds code, which is not run. Pass safe_mode=False if you trust the file, or make the function "
            "one with a name, registered with register_keras_serializable."
        )
    try:
        code = marshal.loads(codecs.decode(str(config["code"]).encode("ascii"), "base64"))
        cells = tuple(map(types.CellType, config.get("closure") or ()))
        return types.FunctionType(code, dict(names), None, tuple(config.get("defaults") or ()), cells)
    except (EOFError, LookupError, TypeError, ValueError) as error:
        raise ArgumentError(f"the code of a Lambda cannot be read by this Python: {error}.") from None
