"""Keras's switches for computing again what the backward pass needs; here it is kept."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import ParamSpec, Self, TypeVar

from distnet.errors import ArgumentError

P = ParamSpec("P")
R = TypeVar("R")

_MODES = ("full", "activations", "larger_than", "list_of_layers", None)


class RematScope:
    """A block whose layers Keras computes again in the backward pass, to save memory; here it changes nothing.

    >>> with RematScope(mode=None):
    ...     pass

    Args:
        mode: ``"full"``, ``"activations"``, ``"larger_than"``, ``"list_of_layers"`` or None for none.
        output_size_threshold: of ``"larger_than"``, entries of the output.
        layer_names: of ``"list_of_layers"``.

    Raises:
        ArgumentError: another mode.

    Source: ``keras.RematScope``.
    """

    def __init__(
        self, mode: str | None = "full", output_size_threshold: int = 1024, layer_names: list[str] | None = None
    ) -> None:
        if mode not in _MODES:
            raise ArgumentError(f"RematScope: mode: expected one of {_MODES}, received {mode!r}.")
        if mode is not None:
            _warn("RematScope")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = layer_names or []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing was changed."""


def remat(f: Callable[P, R]) -> Callable[P, R]:
    """The function itself, which Keras would compute again in the backward pass.

    Raises:
        ArgumentError: it cannot be called.

    Source: ``keras.remat``.
    """
    if not callable(f):
        raise ArgumentError(f"remat: expected a function, received {f!r}.")
    _warn("remat")
    return f


def _warn(name: str) -> None:
    warnings.warn(
        f"{name} has no effect: what the backward pass needs is kept, so that training takes as much memory as without "
        "it. The numbers are the same.",
        stacklevel=3,
    )
