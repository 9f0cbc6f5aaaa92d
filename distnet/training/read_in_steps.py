"""Which variables the code of a step reads: those that a user's model, loss, metric or regularizer names.

Globals, variables of enclosing functions, attributes of modules, classes and functions of the user's own. Attributes of
layers and loss objects are compared by ``changed_in_place``.
"""

from __future__ import annotations

import functools
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from distnet.constraints import Constraint
from distnet.registry.code_uses import BY_TEXT, uses_of
from distnet.registry.users_code import functions_of, is_filled, is_users
from distnet.regularizers import Regularizer
from distnet.training.changed_in_place import OF_DISTNET, is_changeable, is_its_attributes
from distnet.training.set_alone import layers_of
from distnet.variables import Variable

_MOST_ENTRIES = 1000
"""Of a container, that are searched for functions and objects."""
_MOST_DEEP = 20
_NO_CODE = (bool, int, float, complex, str, bytes, type(None), np.ndarray, np.generic, Variable)
_WITHOUT_CODE = ("distnet.layers.engine.", "distnet.initializers.", "distnet.variables", "distnet.training_state")
"""Modules of distnet whose objects hold no code of the user's that a step runs."""


@dataclass
class HeldByNone:
    """What no variable holds that could be set: an argument of a ``partial``, a default, or a method's object."""

    value: Any


class ReadPlace(NamedTuple):
    """Where a value is.

    Args:
        owner: a module, class, function or object whose attribute it is, a cell, or a ``HeldByNone``.
        name: of the attribute or variable.
    """

    owner: Any
    name: str

    def value(self, missing: Any = None) -> Any:
        """What is there now."""
        if isinstance(self.owner, CellType):
            return self.owner.cell_contents if is_filled(self.owner) else missing
        return vars(self.owner).get(self.name, missing)


class CodeReading:
    """What code reads, from some objects on, in the same order on every rank.

    Args:
        roots: named objects and functions.
        without: objects of this class are not looked into.
    """

    def __init__(self, roots: Iterable[tuple[str, Any]], without: type | tuple[type, ...] = ()) -> None:
        self.places: dict[str, ReadPlace] = {}
        """By names that say where they are."""
        self.met: dict[int, Any] = {}
        """All that was looked at, by identity."""
        self._known = set[tuple[int, str]]()
        self._names = set[str]()
        self._used: list[Any] = []
        """What functions name of modules that are not the user's."""
        self._objects: list[tuple[str, Any]] = []
        """Of the user's own, whose attributes are all that they are made of."""
        self._waiting = deque((path, value, 0) for path, value in roots)
        while self._waiting:
            path, value, depth = self._waiting.popleft()
            if id(value) not in self.met:
                self.met[id(value)] = value
                if depth < _MOST_DEEP and not isinstance(value, _NO_CODE) and not isinstance(value, without):
                    self._depth = depth + 1
                    self._look(path, value)
            if not self._waiting:
                self._add_attributes()
        owners = [*(place.owner for place in self.places.values()), *(value for _, value in self._objects)]
        self._owners = list(
            {id(owner): owner for owner in owners if not isinstance(owner, CellType | HeldByNone)}.values()
        )

    @property
    def sizes(self) -> list[int]:
        """How many attributes the objects, modules, classes and functions have: where they have more, all are new."""
        return [len(vars(owner)) for owner in self._owners]

    def _look(self, path: str, value: Any) -> None:
        if isinstance(value, functools.partial):
            self._next(path, value.func)
            for number, part in enumerate((*value.args, *value.keywords.values())):
                self._hold(f"{path}, argument {number}", part)
        elif isinstance(value, MethodType):
            self._hold(f"{path}.__self__", value.__self__)
            self._next(path, value.__func__)
        elif isinstance(value, FunctionType):
            if is_users(value):
                self._function(value)
        elif isinstance(value, type):
            if is_users(value):
                self._class(value)
        elif isinstance(value, Mapping | list | tuple | set | frozenset | deque):
            parts = value.items() if isinstance(value, Mapping) else enumerate(value)
            for key, part in islice(parts, _MOST_ENTRIES):
                self._next(f"{path}[{key!r}]", part)
        else:
            self._object(path, value)

    @property
    def draws_globally(self) -> bool:
        """Whether some of the code may draw from a global generator, or calls a library that may."""
        return "random" in self._names or any(map(_may_draw, self._used))

    def _function(self, function: FunctionType) -> None:
        path = f"{function.__module__}.{function.__qualname__}"
        names = sorted(uses_of(function.__code__)[0])
        self._names.update(names)
        module = sys.modules.get(str(function.__globals__.get("__name__")))
        if module is not None and vars(module) is function.__globals__:
            self._module(module, names)
        for name in names:  # of modules that are imported within the function
            if name not in function.__globals__ and name in sys.modules:
                self._used.append(sys.modules[name])
                self._users_module(sys.modules[name], names)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            if is_filled(cell) and name != "__class__":
                self._add(f"{path}.{name}", cell, name)
        for number, part in enumerate((*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())):
            self._hold(f"{path}, default {number}", part)
        for name in sorted(vars(function)):
            self._add(f"{path}.{name}", function, name)

    def _module(self, module: ModuleType, names: list[str]) -> None:
        for name in names:
            if name in vars(module):
                value = vars(module)[name]
                if isinstance(value, ModuleType):
                    self._used.append(value)
                    self._users_module(value, names)
                else:
                    self._add(f"{module.__name__}.{name}", module, name)

    def _users_module(self, module: ModuleType, names: list[str]) -> None:
        if is_users(_Named(module.__name__)):
            key = id(module), " ".join(names)
            if key not in self._known:
                self._known.add(key)
                self._module(module, names)

    def _class(self, cls: type) -> None:
        for each in cls.__mro__:
            if is_users(each):
                for name, member in list(vars(each).items()):
                    functions = list(functions_of(member))
                    for function in functions:
                        self._next(f"{each.__qualname__}.{name}", function)
                    if not functions and not name.startswith(("__", "_abc_")) and not hasattr(type(member), "__get__"):
                        self._add(f"{each.__module__}.{each.__qualname__}.{name}", each, name)

    def _object(self, path: str, value: Any) -> None:
        is_own = is_users(type(value))
        if is_own:
            self._class(type(value))
        elif not type(value).__module__.startswith("distnet.") or type(value).__module__.startswith(_WITHOUT_CODE):
            return
        if is_own and is_its_attributes(value):
            self._objects.append((path, value))
            return
        is_penalty = isinstance(value, Regularizer | Constraint)
        for name, part in list(getattr(value, "__dict__", {}).items()):
            if name in OF_DISTNET and not is_own:
                continue
            if is_penalty:
                self._add(f"{path}.{name}", value, name)
            else:
                self._next(f"{path}.{name}", part)

    def _add(self, path: str, owner: Any, name: str) -> None:
        if (id(owner), name) not in self._known:
            self._known.add((id(owner), name))
            self._used.append(ReadPlace(owner, name).value())
            path = next(each for n in count(1) if (each := path if n == 1 else f"{path} #{n}") not in self.places)
            self.places[path] = ReadPlace(owner, name)
            self._next(path, self.places[path].value())

    def _add_attributes(self) -> None:
        """Those of objects that some of the code names; all of them where it may name them as it runs."""
        for path, value in self._objects:
            for name in list(vars(value)):
                if name in self._names or not self._names.isdisjoint(BY_TEXT):
                    self._depth = 0
                    self._add(f"{path}.{name}", value, name)

    def _hold(self, path: str, value: Any) -> None:
        if is_changeable(value):
            self._add(path, HeldByNone(value), "value")
        self._next(path, value)

    def _next(self, path: str, value: Any) -> None:
        self._waiting.append((path, value, self._depth))


@dataclass
class _Named:
    """Stands for what a module defines."""

    __module__: str


def reading_of(model: Any) -> CodeReading:
    """What the code of a model's step reads."""
    layers = [(f"layer {layer.name}" if i else "the model", layer) for i, layer in enumerate(layers_of(model))]
    others = [("the loss", getattr(model, "loss", None)), ("the metrics", getattr(model, "_compilation", None))]
    return CodeReading([*layers, *others, ("the optimizer", getattr(model, "optimizer", None))])


def may_draw(model: Any) -> bool:
    """Whether code of the user's, in a step of the model, may draw from NumPy's or Python's global generator."""
    return reading_of(model).draws_globally


def _may_draw(used: Any) -> bool:
    """Whether it is a global generator, or its method or module, or of a library that may draw from it."""
    if isinstance(getattr(used, "__self__", None), np.random.RandomState | random.Random):
        return True
    name = used.__name__ if isinstance(used, ModuleType) else str(getattr(used, "__module__", None) or "builtins")
    top = name.partition(".")[0]
    if name in ("numpy.random", "random"):
        return True
    return (
        top not in ("distnet", "numpy", "builtins")
        and top not in sys.stdlib_module_names
        and not is_users(_Named(name))
    )


def parts_of(value: Any) -> Iterator[Any]:
    """A value, and what its containers and objects hold."""
    waiting, seen = [value], set[int]()
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, Mapping):
            waiting += list(part.values())
        elif isinstance(part, list | tuple | set | deque):
            waiting += list(part)
        elif is_users(type(part)) and not isinstance(part, type | FunctionType):
            waiting += list(getattr(part, "__dict__", {}).values())
