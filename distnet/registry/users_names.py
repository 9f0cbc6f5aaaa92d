"""Which variables of a script a user's functions use: globals, and those of the functions that these stand in."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from distnet.registry.code_uses import uses_of
from distnet.registry.users_code import functions_of, is_filled, is_users

_FIXED = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)

Holder = Any
"""A module or a cell, which holds a variable's value."""


def users_functions(owner: Any) -> Iterator[FunctionType]:
    """The functions that a user wrote among an object's methods and attributes, and the functions that these use."""
    methods = (member for cls in type(owner).__mro__ if is_users(cls) for member in vars(cls).values())
    waiting, seen = [*methods, *getattr(owner, "__dict__", {}).values()], set[int]()
    while waiting:
        member = waiting.pop()
        for function in functions_of(getattr(member, "__func__", member)):
            if is_users(function) and id(function) not in seen:
                seen.add(id(function))
                yield function
                waiting += [value for _, _, value in _used(function) if isinstance(value, FunctionType)]


def variables_of(functions: Iterable[FunctionType]) -> Iterator[tuple[str, Holder, Any]]:
    """The variables that functions use and that may change: name, what holds it, value.

    Modules, classes, functions and what distnet keeps alike on all ranks, such as layers, are left out.
    """
    for function in functions:
        for name, holder, value in _used(function):
            is_of_distnet = any(cls.__module__.partition(".")[0] == "distnet" for cls in type(value).__mro__)
            if not isinstance(value, _FIXED) and not is_of_distnet:
                yield name, holder, value


def _used(function: FunctionType) -> Iterator[tuple[str, Holder, Any]]:
    module = sys.modules.get(str(function.__globals__.get("__name__")))
    if module is not None and vars(module) is function.__globals__:
        for name in uses_of(function.__code__)[0] & function.__globals__.keys():
            yield name, module, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if is_filled(cell):
            yield name, cell, cell.cell_contents
