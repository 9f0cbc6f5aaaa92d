"""The text of a user's function, and what it refers to: looked up once, and looked at again before it is relied on."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import CellType, CodeType, FunctionType
from typing import Any, TypeAlias

Place: TypeAlias = tuple[int, str]
"""The line and the name of a function."""

_ABSENT = object()


class NotStraight(Exception):  # noqa: N818 - caught where it is raised, no error
    """The text says too little, or something else."""


class References:
    """Names and attributes, with the values that they had when they were looked up."""

    def __init__(self) -> None:
        self._named: dict[tuple[int, Any], tuple[Mapping[Any, Any], Any, Any]] = {}
        self._cells: list[tuple[CellType, Any]] = []
        self._contents: dict[int, tuple[Sequence[Any], tuple[Any, ...]]] = {}
        self._methods: list[tuple[Any, dict[str, Any], type, str, FunctionType, tuple[Any, ...]]] = []

    def named(self, names: Mapping[Any, Any], name: Any) -> Any:
        """The value of a name.

        Raises:
            NotStraight: there is none.
        """
        if name not in names:
            raise NotStraight
        self._named[id(names), name] = names, name, names[name]
        return names[name]

    def is_absent(self, names: Mapping[Any, Any], name: Any) -> bool:
        """Whether a name has no value, which then is to stay so."""
        if name in names:
            return False
        self._named[id(names), name] = names, name, _ABSENT
        return True

    def cell(self, function: FunctionType, name: str) -> Any:
        """The value of a variable of the function around this one.

        Raises:
            NotStraight: it has none yet.
        """
        cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
        value = _held(cell)
        if value is _ABSENT:
            raise NotStraight
        self._cells.append((cell, value))
        return value

    def contents(self, values: Sequence[Any]) -> Sequence[Any]:
        """A list or a tuple, whose entries are to stay the same."""
        self._contents[id(values)] = values, tuple(values)
        return values

    def method(self, owner: Any, name: str) -> FunctionType:
        """A method that an object has of its class, as it is written there.

        Raises:
            NotStraight: it is anything else, or the class says itself how attributes are found.
        """
        kind = type(owner)
        function = next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), None)
        is_usual = not any("__getattribute__" in vars(cls) for cls in kind.__mro__[:-1]) and name not in vars(owner)
        if type(function) is not FunctionType or not is_usual:
            raise NotStraight
        self._methods.append((owner, vars(owner), kind, name, function, _parts(function)))
        return function

    def add(self, others: References) -> None:
        """Hold others' references, too."""
        self._named.update(others._named)
        self._cells += others._cells
        self._contents.update(others._contents)
        self._methods += others._methods

    def hold(self) -> bool:
        """Whether all of it is still there."""
        for names, name, value in self._named.values():
            if names.get(name, _ABSENT) is not value:
                return False
        for cell, value in self._cells:
            if _held(cell) is not value:
                return False
        for values, entries in self._contents.values():
            if len(values) != len(entries) or any(a is not b for a, b in zip(values, entries, strict=True)):
                return False
        for owner, attributes, kind, name, function, parts in self._methods:
            is_same = type(owner) is kind and getattr(kind, name, None) is function
            if not is_same or vars(owner) is not attributes or name in attributes:
                return False
            if any(a is not b for a, b in zip(_parts(function), parts, strict=True)):
                return False
        return True


def _held(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # the variable was deleted, or is set later
        return _ABSENT


def _parts(function: FunctionType) -> tuple[Any, ...]:
    """What a function can be given in the place of what it was made of."""
    return function.__code__, function.__defaults__, function.__kwdefaults__


def definition_of(code: CodeType) -> ast.FunctionDef:
    """The text of a function, if it is that of its code.

    Raises:
        NotStraight: it is not known, or has been changed since.
    """
    try:
        definitions, codes = _parsed("".join(inspect.findsource(code)[0]))
    except (OSError, SyntaxError, TypeError, ValueError):
        raise NotStraight from None
    place = code.co_firstlineno, code.co_name
    if place not in definitions or place not in codes or _content(codes[place]) != _content(code):
        raise NotStraight
    return definitions[place]


@lru_cache(maxsize=8)
def _parsed(source: str) -> tuple[dict[Place, ast.FunctionDef], dict[Place, CodeType]]:
    """The functions of a file that have no decorators, and the codes that Python makes of them."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and not node.decorator_list]
    codes: dict[Place, CodeType] = {}
    waiting = [compile(tree, "", "exec", dont_inherit=True)]
    while waiting:
        inner = [constant for constant in waiting.pop().co_consts if isinstance(constant, CodeType)]
        codes.update({(code.co_firstlineno, code.co_name): code for code in inner})
        waiting += inner
    return {(node.lineno, node.name): node for node in functions}, codes


def _content(code: CodeType) -> tuple[Any, ...]:
    """What a function does; constants with their types, since 1 and True are equal."""
    constants = [(type(c), _content(c) if isinstance(c, CodeType) else repr(c)) for c in code.co_consts]
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
