"""What users do to a layer themselves: build it, and give it weights to start from."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np

from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.layers.engine.context import BuildContext
from distnet.types import Shape
from distnet.variables import Variable


class Buildable(Protocol):
    """What is asked of a layer here."""

    name: str

    def build_once(self, shape: Any) -> None: ...

    def all_shapes(self, given: Any) -> Any: ...

    def all_weights(self) -> list[Variable]: ...


class InitialWeights:
    """Takes the constructor's ``weights``; read from a layer, ``weights`` are its variables.

    Source: ``keras.layers.Layer`` of Keras 2.
    """

    def __get__(self, instance: Buildable | None, owner: type) -> list[Variable]:
        return cast("list[Variable]", None) if instance is None else instance.all_weights()

    def __set__(self, instance: Buildable, value: object) -> None:
        instance.__dict__["initial_weights"] = None if value is self else value


def as_list(weights: Any) -> Any:
    """The constructor's ``weights`` as ``set_weights`` takes them: an array stands for a list of one."""
    return [weights] if isinstance(weights, np.ndarray) else weights


def buildable(build: Callable[..., Any]) -> Callable[..., Any]:
    """Let users call ``build``, too: with shapes alone, without a context.

    Several inputs have several shapes, or a list of them.
    """
    context = inspect.signature(build).parameters.get("ctx")
    if context is None:
        return _as_users_write(build)
    if context.default is not context.empty:
        return build

    @functools.wraps(build)
    def built(self: Buildable, *args: Any, **kwargs: Any) -> Any:
        if "ctx" in kwargs or any(isinstance(arg, BuildContext) for arg in args):
            return build(self, *args, **kwargs)
        building = vars(self).get("_building")
        if building is not None:  # super().build(input_shape)
            return build(self, *args, ctx=building, **kwargs)
        self.build_once(self.all_shapes(_shapes(self.name, [*args, *kwargs.values()])))
        return None

    return built


def _as_users_write(build: Callable[..., Any]) -> Callable[..., Any]:
    """A ``build(input_shape)``, which also says that the layer is built where a user calls it."""

    @functools.wraps(build)
    def built(self: Any, *args: Any, **kwargs: Any) -> Any:
        if vars(self).get("_building") is not None or not hasattr(self, "build_once"):
            return build(self, *args, **kwargs)
        if len(args) + len(kwargs) != 1:
            return self.build_with(inspect.signature(build).bind(self, *args, **kwargs).arguments)
        shape = next(iter((*args, *kwargs.values())))
        self.build_once(_shapes(self.name, [shape]) if isinstance(shape, list | tuple) else shape)
        return None

    return built


def _shapes(where: str, given: Sequence[Any]) -> Any:
    """One shape, or the list of several.

    Raises:
        ArgumentError: there is no shape, or something that is none.
    """
    shapes: list[Shape] = []
    for value in given:
        if value is None:
            continue
        parts = [value] if _is_shape(value) else value
        if not isinstance(parts, list | tuple) or not all(map(_is_shape, parts)):
            raise ArgumentError(f"{where}: build: expected a shape, such as (None, 4), received {value!r}.")
        shapes += [tuple(part) for part in parts]
    if not shapes:
        raise ArgumentError(f"{where}: build: expected a shape, such as (None, 4), received none.")
    return shapes[0] if len(shapes) == 1 else shapes


def _is_shape(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(n is None or is_integer(n) for n in value)
