"""What an initializer is, and how it is found by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import numpy as np
import numpy.typing as npt

from distnet import addresses, config
from distnet.errors import ArgumentError, ShapeError
from distnet.naming import name_of
from distnet.registry import Configurable, Registry, functions_of, to_json
from distnet.results import as_result
from distnet.types import Array, ArrayLike, DType, Json


class Initializer(Configurable):
    """Gives a variable its initial value. A subclass defines ``draw`` or, as in Keras, ``__call__``.

    An initializer with a ``seed`` gives the same numbers to every variable of the same shape.
    """

    seed: int | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        # TensorFlow 1 wrote a dtype, too; the variable's own dtype counts.
        return super().from_config({key: value for key, value in config.items() if key != "dtype"})

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        """An array of ``shape``; random numbers are drawn from ``rng``."""
        if type(self).__call__ is Initializer.__call__:
            raise ArgumentError(
                f"{type(self).__name__}: expected a method draw(shape, dtype, rng), received a class without it."
            )
        return _checked(type(self).__name__, self(shape, dtype), shape, dtype)

    def __call__(self, shape: Sequence[int], dtype: npt.DTypeLike | None = None) -> Array:
        """A new array of ``shape``; without a seed, each call gives other numbers.

        Args:
            shape: of the array.
            dtype: ``floatx`` by default.
        """
        if self.seed is None:
            rng = addresses.generator(addresses.job_seed(), "initializer", addresses.next_call_index())
        else:
            rng = addresses.generator(self.seed, "initializer")
        drawn = self.draw(tuple(shape), np.dtype(config.floatx() if dtype is None else dtype), rng)
        return cast(Array, as_result(drawn))


class _UserFunction(Protocol):
    """What a user may pass in place of an Initializer; in Keras 1 and 2 it took no dtype."""

    def __call__(self, shape: tuple[int, ...], **options: Any) -> ArrayLike: ...


@dataclass(eq=False)
class FunctionInitializer(Initializer):
    """A user's function ``f(shape, dtype)`` or ``f(shape)``; it must return equal arrays on all ranks."""

    function: _UserFunction

    def draw(self, shape: tuple[int, ...], dtype: DType, rng: np.random.Generator) -> Array:
        name = name_of(self.function)
        options = {"dtype": dtype} if _takes_dtype(self.function) else {}
        return _checked(name, self.function(shape, **options), shape, dtype)

    def as_json(self) -> Json:
        return to_json(self.function)


INITIALIZERS: Registry[Initializer] = Registry(
    "initializer", Initializer, adapt=FunctionInitializer, module="keras.initializers"
)


get, serialize, deserialize = functions_of(INITIALIZERS, __name__, INITIALIZERS.optional)


def _takes_dtype(function: _UserFunction) -> bool:
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # a builtin
        return True
    return "dtype" in parameters or any(p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL) for p in parameters.values())


def _checked(name: str, value: ArrayLike, shape: tuple[int, ...], dtype: DType) -> Array:
    """What a user's code returned, if it has the requested shape."""
    array = np.array(value, dtype)
    if array.shape != shape:
        raise ShapeError(f"{name}: expected an array of shape {shape}, received one of {array.shape}.")
    return array
