"""Functions whose gradient is computed by hand: the tape knows it, but not how it was computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from distnet.errors import ArgumentError
from distnet.ops import tape
from distnet.ops.recording import is_recording
from distnet.ops.tensor import TapeNode, Tensor
from distnet.results import ResultArray
from distnet.types import Array
from distnet.variables import Variable


def followed(x: Any) -> Tensor | None:
    """The tensor that x is, or that stands for it while something is recorded; None for anything else."""
    if type(x) is Tensor:
        return x
    if is_recording():
        if type(x) is Variable:
            return tape.leaf(x)
        if type(x) is ResultArray and x.followed is not None:
            return x.followed  # type: ignore[no-any-return]
    return None


def by_hand(name: str, x: Tensor, y: Array, pull: Callable[[Array], Array]) -> Tensor:
    """``y``, computed row by row from the value of ``x``, as a tensor.

    Args:
        name: of the function, in messages.
        pull: gives the gradient of x, of that of y. It has no gradient itself.
    """
    node = None
    if x.node is not None and is_recording():
        node = TapeNode((x,), lambda node, dys, is_followed: [_once(name, x, dys[0], pull)])
    return Tensor(y, node, 0, x.rows)


def _once(name: str, x: Tensor, dy: Any, pull: Callable[[Array], Array]) -> Any:
    if type(dy) is not Tensor:
        return pull(dy)

    def refuse(node: TapeNode, dys: list[Any], is_followed: bool) -> NoReturn:
        raise ArgumentError(
            f"{name}: its gradient is written by hand, so it has no second derivative. Write it with the functions of "
            "distnet.ops."
        )

    return Tensor(pull(dy.value), TapeNode((dy, x), refuse), 0, dy.rows)
