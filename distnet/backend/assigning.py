"""Keras 2's changes of variables, which happen at once, and gradients of recorded tensors."""

from __future__ import annotations

import logging
from typing import Any

from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.layers.engine.base import KerasTensor
from distnet.ops import GradientTape
from distnet.ops.tensor import Tensor
from distnet.variables import Variable

_log = logging.getLogger(__name__)


def update(x: Variable, new_x: Any) -> Variable:
    """Give a variable another value."""
    x.assign(new_x)
    return x


def update_add(x: Variable, increment: Any) -> Variable:
    """Add to a variable."""
    return update(x, x + increment)


def update_sub(x: Variable, decrement: Any) -> Variable:
    """Subtract from a variable."""
    return update(x, x - decrement)


def moving_average_update(x: Variable, value: Any, momentum: float) -> Variable:
    """Move a variable towards a value: ``momentum x + (1 - momentum) value``."""
    return update(x, x * momentum + value * (1 - momentum))


def gradients(loss: Any, variables: Any) -> Any:
    """The gradients of a loss by variables, or by tensors that it was computed from.

    Raises:
        ArgumentError: the loss is a placeholder, or was computed where nothing was recorded.

    Source: ``keras.backend.gradients``.
    """
    if isinstance(loss, KerasTensor) or not isinstance(loss, Tensor) or loss.node is None:
        raise ArgumentError(
            f"gradients: expected a loss that was computed within a GradientTape, received {loss!r:.80}. Compute it in "
            "`with distnet.GradientTape() as tape:` and call tape.gradient(loss, variables)."
        )
    return GradientTape().gradient(loss, variables)


def print_tensor(x: Any, message: str = "") -> Any:
    """``x``, whose value is logged on rank 0.

    Raises:
        ArgumentError: it is a placeholder, which has no value.
    """
    if isinstance(x, KerasTensor):
        raise ArgumentError(f"print_tensor: {x.name} is a placeholder and has no value. Print within a layer's call.")
    value = x.numpy() if hasattr(x, "numpy") else x
    if communicator().rank == 0:
        _log.warning("%s%s", message, value)
    return x


def is_variable(x: object) -> bool:
    """Whether ``x`` is a variable."""
    return isinstance(x, Variable)


def is_tensor(x: object) -> bool:
    """Whether ``x`` is a tensor or a placeholder."""
    return isinstance(x, Tensor | KerasTensor)
