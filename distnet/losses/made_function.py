"""Keras's functions of ``(y_true, y_pred)``, made from classes of losses and metrics."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, ParamSpec, Self, cast

import numpy as np

from distnet.losses import of_placeholders, of_tensors
from distnet.losses.alignment import as_floating
from distnet.naming import snake_case
from distnet.ops.primitive import are_placeholders
from distnet.ops.recording import paused
from distnet.results import as_result
from distnet.types import Array, ArrayLike

P = ParamSpec("P")


class HasFunction(ABC):
    """A dataclass from which a function is made; its own fields are the function's options."""

    family: ClassVar[type]
    """The dataclass whose fields are no options."""
    function: ClassVar[MadeFunction[...]]
    composed: ClassVar[Callable[..., Any] | None] = None
    """What ``composition`` returns, once ``compositions`` is imported."""
    compositions: ClassVar[str]
    """The module that says what the family's members are composed of."""

    @abstractmethod
    def values(self, y_true: Array, y_pred: Array) -> Array:
        """One value per sample.

        Shapes:
            (N, ..., C) -> (N, ...) or (N, ..., C)
        """

    def default_name(self) -> str:
        """The function's name."""
        return self.function.__name__

    def composition(self) -> Callable[[Any, Any], Any] | None:
        """The values of tensors and placeholders by functions of ``distnet.ops`` alone, where there are such."""
        importlib.import_module(self.compositions)
        return self.composed

    def options(self) -> dict[str, object]:
        """The function's options."""
        return {name: getattr(self, name) for name in option_names(type(self))}

    @classmethod
    def with_options(cls, options: Mapping[str, object]) -> Self:
        """An object with these options, unchecked; only its values are wanted."""
        made = cls.__new__(cls)
        vars(made).update(options)
        return made


@functools.cache
def option_names(cls: type[HasFunction]) -> tuple[str, ...]:
    """The names of the function's options."""
    base = {f.name for f in dataclasses.fields(cls.family)}
    return tuple(f.name for f in dataclasses.fields(cast(Any, cls)) if f.name not in base)


class MadeFunction(Generic[P]):
    """The function made from a class. It is named, pickled and copied like any function.

    Args:
        cls: the class, of which it becomes the ``function``.
        order: the options by position; by default as the class has them.
    """

    __name__: str
    __signature__: inspect.Signature

    def __init__(self, cls: Callable[P, HasFunction], order: str = "") -> None:
        self.cls = cast("type[HasFunction]", cls)
        self.cls.function = self
        self.__name__ = self.__qualname__ = snake_case(self.cls.__name__)
        self.__module__, self.__doc__ = self.cls.__module__, self.cls.__doc__
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        options = [
            inspect.Parameter(name, kind, default=getattr(self.cls, name, inspect.Parameter.empty))
            for name in order.split() or option_names(self.cls)
        ]
        self.__signature__ = inspect.Signature(
            [inspect.Parameter("y_true", kind), inspect.Parameter("y_pred", kind), *options]
        )

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, *args: P.args, **kwargs: P.kwargs) -> Array:
        """One value per sample."""
        made = self.of(*args, **kwargs)
        if of_tensors.are_tensors(y_true, y_pred):
            return cast(Array, self._of_tensors(made, y_true, y_pred))
        if are_placeholders(y_true, y_pred):
            return cast(Array, self._of_placeholders(made, y_true, y_pred))
        return cast(Array, as_result(made.values(np.asarray(y_true), as_floating(y_pred))))

    def _of_tensors(self, made: HasFunction, y_true: Any, y_pred: Any) -> Any:
        """The values of tensors, through which no gradients flow."""

        def stated(t: Array, p: Array) -> tuple[Array, Any]:
            return made.values(t, p), None

        with paused():
            return of_tensors.values_of(self.__name__, stated, None, False, y_true, y_pred)

    def _of_placeholders(self, made: HasFunction, y_true: Any, y_pred: Any) -> Any:
        """The placeholder of the values."""
        return of_placeholders.values_of(self.__name__, made.values, made.composition(), y_true, y_pred)

    def __reduce__(self) -> str:
        return self.__name__

    def of(self, *args: P.args, **kwargs: P.kwargs) -> HasFunction:
        """An object of the class with these options."""
        options = self.__signature__.bind(None, None, *args, **kwargs).arguments
        return self.cls.with_options({name: options[name] for name in options if name not in ("y_true", "y_pred")})
