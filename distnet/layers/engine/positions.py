"""Arguments that every layer takes by name, and some of Keras's layers by position, too."""

from __future__ import annotations

import functools
import inspect
from typing import Any

_BEHIND = {
    "bias_regularizer": "activity_regularizer",
    "merge_mode": "weights",
    "mask_zero": "weights",
    "batch_size": "dtype",
    "encoding": "name",
    "output_dim": "tie_weights",
}
"""An argument of Keras's constructors -> the field that follows it."""


def take_in_keras_order(cls: type) -> None:
    """Let a layer's own constructor take its arguments in Keras's order.

    A dataclass cannot do this: the fields of its base come before its own, or by name alone.
    """
    if "__init__" not in vars(cls):
        return
    taken = _names_taken(cls)
    for before, name in _BEHIND.items():
        if before in taken and name in taken and name not in getattr(cls, "taken_by_name", ()):
            _insert(cls, name, before)


def _names_taken(cls: Any) -> tuple[str, ...]:
    """The names of the constructor's arguments; ``inspect.signature`` took a tenth of the time of the import."""
    code = getattr(inspect.unwrap(cls.__init__), "__code__", None)
    if code is None:
        return tuple(inspect.signature(cls).parameters)
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return names


def _insert(cls: Any, name: str, before: str) -> None:
    init = cls.__init__
    parameters = dict(inspect.signature(init).parameters)
    own = parameters.pop(name).replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
    order = list(parameters.values())
    place = list(parameters).index(before) + 1  # with self
    order.insert(place, own)

    @functools.wraps(init)
    def in_keras_order(*args: Any, **kwargs: Any) -> None:
        if len(args) > place:
            if name in kwargs:
                raise TypeError(f"{cls.__name__}: received {name} twice, by position and by name.")
            args, kwargs = (*args[:place], *args[place + 1 :]), {**kwargs, name: args[place]}
        init(*args, **kwargs)

    in_keras_order.__signature__ = inspect.Signature(order, return_annotation=None)  # type: ignore[attr-defined]
    cls.__init__ = in_keras_order
