"""Runs the text of a user's functions, as far as it is fixed: names, constants, lists, loops and branches over these.

What is called on tensors a subclass runs. A text that does anything else is not straight: it may do something else the
next time, or its doing it twice may be noticed.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from distnet.layers.engine.abstract_layer import AbstractLayer
from distnet.layers.engine.base import KerasTensor
from distnet.layers.engine.function_text import NotStraight, References, definition_of
from distnet.layers.engine.straight_text import CONSTANTS
from distnet.layers.engine.text_frame import GOES_ON, Frame


class Extents(tuple[Any, ...]):
    """The shape of a placeholder, some of whose extents are not known."""


class TextRun(ABC):
    """A run of a method's text.

    Attributes:
        references: what the text refers to.
    """

    def __init__(self) -> None:
        self.references = References()
        self._made_here: dict[int, Any] = {}

    @abstractmethod
    def called(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What a layer or a function of tensors gives.

        Raises:
            NotStraight: it is something else, or called on something else.
        """

    @abstractmethod
    def operated(self, function: Callable[..., Any], operands: Sequence[Any]) -> Any:
        """What an operator gives for operands of which some are placeholders."""

    def run(self, owner: AbstractLayer, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """What a method of a layer returns.

        Raises:
            NotStraight: its text says too little.
        """
        function = self.references.method(owner, name)
        defaults = *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()
        if "__class__" in function.__code__.co_freevars or not all(map(is_fixed, defaults)):
            raise NotStraight
        try:
            bound = inspect.signature(function).bind(owner, *args, **kwargs)
        except TypeError:
            raise NotStraight from None
        bound.apply_defaults()
        definition = definition_of(function.__code__)
        returned = Frame(self, owner, function, dict(bound.arguments)).executed(definition.body)
        return None if returned is GOES_ON else returned

    def own(self, values: Any) -> Any:
        """A list or a dict that the text makes, and may change."""
        self._made_here[id(values)] = values
        return values

    def is_own(self, values: Any) -> bool:
        """Whether the text made it."""
        return id(values) in self._made_here

    def read(self, value: Any) -> Any:
        """A value that the text refers to; lists are to keep their entries."""
        if type(value) in (list, tuple) and not self.is_own(value):
            for entry in self.references.contents(value):
                self.read(entry)
        return value

    def attribute(self, owner: Any, name: str) -> Any:
        """An attribute of a layer, a module or a placeholder.

        Raises:
            NotStraight: it is computed, or that of anything else.
        """
        if name.startswith("__"):
            raise NotStraight
        if isinstance(owner, KerasTensor) and name in ("shape", "ndim"):
            return Extents(owner.shape) if name == "shape" else owner.ndim
        if inspect.ismodule(owner):
            return self.read(self.references.named(vars(owner), name))
        if not isinstance(owner, AbstractLayer):
            raise NotStraight
        if hasattr(type(inspect.getattr_static(type(owner), name, None)), "__get__"):
            raise NotStraight
        if not self.references.is_absent(vars(owner), name):
            return self.read(self.references.named(vars(owner), name))
        of_classes = [vars(cls) for cls in type(owner).__mro__]
        value = self.references.named(next((n for n in of_classes if not self.references.is_absent(n, name)), {}), name)
        if not is_fixed(value):
            raise NotStraight
        return value

    def entry(self, values: Any, key: Any) -> Any:
        """An entry of a list, a tuple, a dict or a shape, or a part of a placeholder.

        Raises:
            NotStraight: of anything else, or an extent that is not known.
        """
        if isinstance(values, KerasTensor):
            return self.operated(lambda tensor: tensor[key], [values])
        if type(values) not in (list, tuple, dict, Extents) or not is_fixed(key):
            raise NotStraight
        if type(values) is dict and not self.is_own(values):
            return self.read(self.references.named(values, key))
        part = values[key]
        if type(values) is Extents:
            part = tuple(part) if isinstance(part, tuple) else part
            if part is None or (type(part) is tuple and None in part):
                raise NotStraight
        return self.own(part) if type(key) is slice and type(part) is list else part


def is_fixed(value: Any) -> bool:
    """Whether it is a constant, or a tuple or a slice of these."""
    if type(value) is slice:
        return is_fixed((value.start, value.stop, value.step))
    return type(value) in CONSTANTS or (type(value) is tuple and all(map(is_fixed, value)))


def is_operand(value: Any) -> bool:
    """Whether it is a placeholder or a constant, or a list, a tuple or a dict of these."""
    if type(value) in (list, tuple, dict):
        return all(map(is_operand, value.values() if type(value) is dict else value))
    return isinstance(value, KerasTensor) or is_fixed(value)
