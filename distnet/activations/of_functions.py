"""Activations that users write as functions of tensors: their gradient follows from the functions they call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from distnet.activations.base import ACTIVATIONS, Activation
from distnet.comm.scope import communicator
from distnet.errors import ArgumentError, ShapeError
from distnet.ops.primitive import Primitive
from distnet.ops.recording import paused
from distnet.ops.tape import following, gradients
from distnet.ops.tensor import TapeNode, Tensor
from distnet.registry import is_describing, registered_name, to_json
from distnet.types import Array, Json


@dataclass(frozen=True)
class FunctionActivation(Activation):
    """A user's function of a tensor, which keeps the shape and treats each row by itself.

    Args:
        function: is called with a tensor; written with operators and functions of ``distnet.ops``.
    """

    function: Callable[..., Any]

    if not TYPE_CHECKING:  # a type checker takes it for the name of the class

        @property
        def __name__(self) -> str:
            """The function's name."""
            return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def name(self) -> str:
        """The function's name."""
        return str(getattr(self.function, "__name__", type(self.function).__name__))

    @property
    def saves_input(self) -> bool:
        """True: the gradient is recorded anew."""
        return True

    def __call__(self, x: Any, *values: Any, **options: Any) -> Any:
        """The function of x."""
        return self.function(x, *values, **options)

    def __repr__(self) -> str:
        return f"the activation {self.name}"

    def forward(self, z: Array, out: Array) -> None:
        with paused(), following(is_recorded=False, is_call=True):
            y = self._of(Tensor(z)).value
            self._check_rows(z, y)
        out[...] = y

    def backward(self, dy: Array, saved: Array, out: Array) -> None:
        node = TapeNode()
        with paused():
            with following(is_call=True):
                y = self._of(Tensor(saved, node))
            dx = gradients([(y, dy)], [(node, 0)]).shared.get((node, 0))
        out[...] = 0 if dx is None else dx

    def of_tensor(self, x: Tensor) -> Tensor:
        return self._of(x)

    def as_json(self) -> Json:
        """The name by which the function is registered, as Keras 3 writes it.

        Raises:
            ArgumentError: it is a lambda, which has none.
        """
        if is_describing():
            return to_json(self.function)
        name = registered_name(self.function)
        if name == "<lambda>":
            raise ArgumentError(
                "activation: a lambda has no name by which a file could refer to it. Define the function with def."
            )
        return {
            "module": "builtins",
            "class_name": "function",
            "config": name,
            "registered_name": "function",
        }

    def _of(self, x: Tensor) -> Tensor:
        try:
            y = self.function(x)
        except ArgumentError as error:
            raise ArgumentError(f"activation {self.name}: {error}") from error
        if type(y) is not Tensor:
            raise ArgumentError(
                f"activation {self.name}: expected it to return a tensor, received {type(y).__name__}. Write it "
                "with operators and the functions of distnet.ops."
            )
        if y.shape != x.shape:
            raise ShapeError(f"activation {self.name}: expected a result of shape {x.shape}, received {y.shape}.")
        return y

    def _check_rows(self, z: Array, y: Array) -> None:
        """Fail if the rows depend on each other, for a rank has only its own; tried once."""
        if len(z) < 2 or communicator().size < 2 or "_is_rowwise" in self.__dict__:
            return
        half = len(z) // 2
        part = self._of(Tensor(z[:half])).value
        if not np.allclose(part, y[:half], rtol=1e-4, atol=1e-6, equal_nan=True):
            raise ArgumentError(
                f"activation {self.name}: mixes the rows of the batch, but a rank has only its own rows. Make it "
                "a layer with call, which sees all of them."
            )
        object.__setattr__(self, "_is_rowwise", True)


def of_function(function: Callable[..., Any]) -> Activation:
    """The activation that a function stands for.

    A ``functools.partial`` of an activation is that activation with other options; a function of ``distnet.ops`` is the
    activation of its name.
    """
    if isinstance(function, partial) and isinstance(function.func, Activation):
        return function.func._with(function.args, function.keywords)
    if isinstance(function, Primitive):
        name = {"exp": "exponential"}.get(function.__name__, function.__name__)
        if ACTIVATIONS.named(name) is not None:
            made = ACTIVATIONS.get(name)
            return made._with((), {"approximate": True}) if name == "gelu" else made
    return FunctionActivation(function)


ACTIVATIONS.adapt = of_function
