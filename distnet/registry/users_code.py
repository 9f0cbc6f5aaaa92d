"""What a user's functions and objects compute, as JSON: their code, and the values that it reads.

Ranks compare it: two functions of one name may compute different things. What is written depends on nothing that
differs from process to process, such as addresses, the order of sets, moments, paths and the machine's name. Attributes
that the code itself sets while it computes, lists that it adds to, and iterators are its running state, which is not
written. Of objects those attributes are written that any of the code names.
"""

from __future__ import annotations

import functools
import os
import platform
import random
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from distnet.checksums import checksum
from distnet.registry.code_uses import Uses, codes_in, is_read
from distnet.registry.library_objects import attributes_of, content_of, is_namespace
from distnet.types import Json

_MOST_DEEP = 60
_MOST_ENTRIES = 64
"""Of a list or dict; of a longer one the rest is a checksum."""
_MOST_CHARACTERS = 200
_BEGAN = time.time() - 60.0
"""A moment before the program's first line, if that imports distnet."""
_INSTALLED = ("site-packages", "dist-packages")
_NOT_COMPUTING = frozenset(
    ("__init__", "__new__", "__init_subclass__", "__repr__", "__str__", "__reduce__", "__getstate__", "__setstate__",
     "get_config", "from_config", "get_build_config", "build_from_config", "save_own_variables", "load_own_variables",
     "summary")
)  # fmt: skip
"""Methods that a class may override without a change of what it computes."""
_OF_DISTNET = frozenset(
    ("name", "history", "totals", "stop_training", "stop_evaluating", "stop_predicting", "training_state", "store",
     "calls", "built_shape", "activity_penalties", "optimizer", "loss", "_compilation", "batch_steps", "batch_checks",
     "fit_steps", "kept_inference")
)  # fmt: skip
"""Attributes that distnet sets itself, and that ranks compare by other means, or need not."""


def is_users(value: Any) -> bool:
    """Whether a function or class is of the user's own program, not of distnet, Python or an installed package."""
    module = str(getattr(value, "__module__", None))
    top = module.partition(".")[0]
    if top in ("distnet", "builtins") or (top in sys.stdlib_module_names and top != "__main__"):
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return not any(part in _INSTALLED for part in PurePath(file).parts)


def is_of_user(value: Any) -> bool:
    """Whether a value computes what the user wrote: a function, class or object of the user's, or made of such."""
    if isinstance(value, functools.partial | MethodType):
        return True
    return is_users(value if isinstance(value, FunctionType | type) else type(value))


def described(value: Any, of_distnet: Callable[[Any], Json]) -> Json:
    """A user's function, class or object, as JSON: see above.

    Args:
        of_distnet: writes objects of distnet's that code refers to, and may call this function again.
    """
    present = _present.get()
    if present is not None:
        return present.value(value, 1)
    describer = _Describer(of_distnet)
    token = _present.set(describer)
    try:
        return describer.whole(value)
    finally:
        _present.reset(token)


@functools.lru_cache(4096)
def _described_code(code: CodeType) -> Mapping[str, Json]:
    """What it does, apart from where it stands in its file."""
    constants = [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
    written: dict[str, Json] = {
        "names": list(code.co_names),
        "constants": [_constant(constant) for constant in constants],
        "arguments": [code.co_argcount, code.co_kwonlyargcount, *code.co_varnames[: code.co_argcount]],
        "bytecode": f"{zlib.crc32(code.co_code):08x}",
    }
    inner = [dict(_described_code(each)) for each in codes_in(code)]
    return {**written, "functions within": inner} if inner else written


def _constant(value: Any) -> Json:
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return value if isinstance(value, bool | int | float | type(None)) else _shortened(repr(value))


_present: ContextVar[_Describer | None] = ContextVar("describer", default=None)


class _Describer:
    """Writes one value; what it meets twice it writes once.

    Args:
        of_distnet: writes objects of distnet's.
    """

    def __init__(self, of_distnet: Callable[[Any], Json]) -> None:
        self.of_distnet = of_distnet
        self.met: dict[int, Any] = {}
        self.names, self.state = set[str](), set[str]()
        """That some of the code reads, and that functions set."""
        self._left_out = set[str]()

    def whole(self, value: Any) -> Json:
        """A value, with all attributes of objects that any code within names, wherever it stands."""
        while True:
            self.met, self._left_out, state = {}, set(), len(self.state)
            written = self.value(value, 0)
            if self._left_out.isdisjoint(self.names) and len(self.state) == state:
                return written

    def value(self, value: Any, depth: int) -> Json:
        """A value that code reads, or is part of one."""
        if _is_of_this_process(value):
            return "of this process"
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str | bytes):
            return _shortened(value if isinstance(value, str) else repr(value))
        if isinstance(value, np.generic | np.ndarray) and value.dtype != object:
            return _array(np.asarray(value))
        if depth > _MOST_DEEP or id(value) in self.met:
            return _kind(value)
        self.met[id(value)] = value
        if isinstance(value, Mapping):
            return self._entries({self._key(key, depth): part for key, part in value.items()}, depth)
        if isinstance(value, list | tuple):
            return self._entries(list(value), depth)
        if isinstance(value, set | frozenset):
            return sorted((self.value(part, depth + 1) for part in value), key=repr)
        return self._callable_or_object(value, depth + 1)

    def _callable_or_object(self, value: Any, depth: int) -> Json:
        if isinstance(value, functools.partial):
            return {
                "partial of": self.value(value.func, depth),
                "arguments": self.value([*value.args, value.keywords], depth),
            }
        if isinstance(value, MethodType):
            return {"method": self.value(value.__func__, depth), "of": self.value(value.__self__, depth)}
        if isinstance(value, FunctionType):
            return self.function(value, depth) if is_users(value) else _library_function(value)
        if isinstance(value, type):
            return self._class(value, None, depth) if is_users(value) else _kind_of(value)
        if isinstance(value, ModuleType | BuiltinFunctionType):
            owner = getattr(value, "__self__", None)
            is_plain = owner is None or isinstance(owner, ModuleType)
            return value.__name__ if is_plain else {"method": value.__name__, "of": self.value(owner, depth)}
        if isinstance(value, Enum):
            return {"enum": _kind(value), "value": self.value(value.value, depth)}
        return self._object(value, depth)

    def _object(self, value: Any, depth: int) -> Json:
        if isinstance(value, np.random.Generator | np.random.RandomState | random.Random):
            return {"random generator": _kind(value), "state": _state_of(value)}
        if is_users(type(value)):
            return self._class(type(value), value, depth)
        if type(value).__module__.startswith("distnet."):
            held = _value_of(value)
            return self.of_distnet(value) if held is value else self.value(held, depth)
        if is_namespace(value):
            return self._entries(self._named(vars(value), self.names), depth)
        return {"object": _kind(value), "parts": self.value(content_of(value), depth)}

    def _named(self, attributes: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
        """Those attributes that the code names, and that no function sets."""
        self._left_out |= attributes.keys() - names
        return {name: attributes[name] for name in sorted(attributes.keys() & names - self.state)}

    def _key(self, key: Any, depth: int) -> str:
        return str(key) if isinstance(key, str | int | float | type(None)) else repr(self.value(key, depth + 1))

    def _entries(self, values: Any, depth: int) -> Json:
        if isinstance(values, dict):
            written = {key: self.value(part, depth + 1) for key, part in values.items()}
            kept = dict(list(written.items())[:_MOST_ENTRIES])
            return written if len(written) == len(kept) else {**kept, "the rest": _rest(list(written.items()))}
        parts = [self.value(part, depth + 1) for part in values]
        return parts if len(parts) <= _MOST_ENTRIES else [*parts[:_MOST_ENTRIES], _rest(parts)]

    def function(self, function: FunctionType, depth: int) -> Json:
        """Code, defaults, what it has from around it, and the globals that it reads."""
        uses = Uses()
        uses.take(function.__code__)
        self.names |= uses.names
        self.state |= uses.state
        return {
            "function": function.__qualname__,
            **_described_code(function.__code__),
            **self._read(function, uses, depth),
        }

    def _read(self, function: FunctionType, uses: Uses, depth: int) -> dict[str, Json]:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        closure = {name: cell.cell_contents for name, cell in cells.items() if is_filled(cell)}
        closure.pop("__class__", None)  # what super() refers to
        parts = {
            "defaults": list(function.__defaults__ or ()),
            "keyword defaults": function.__kwdefaults__ or {},
            "from around it": {name: _value_of(held) for name, held in closure.items() if is_read(name, held, uses)},
            "globals": dict(self._globals(function.__globals__, uses)),
            "environment": _environment(function.__code__, uses),
            "attributes": self._named(vars(function), self.names),
        }
        return {what: self.value(part, depth) for what, part in parts.items() if part}

    def _globals(self, present: Mapping[str, Any], uses: Uses) -> Iterator[tuple[str, Any]]:
        for name in sorted(uses.names & present.keys()):
            value = present[name]
            if isinstance(value, ModuleType):
                if is_users(_OfModule(value.__name__)):
                    yield from ((f"{name}.{part}", held) for part, held in self._globals(vars(value), uses))
            elif is_read(name, value, uses):
                yield name, _value_of(value)

    def _class(self, cls: type, owner: Any, depth: int) -> Json:
        """The methods by which a class computes, and the attributes that they read of an object of it."""
        own = [each for each in cls.__mro__ if is_users(each)]
        members = {name: held for each in reversed(own) for name, held in vars(each).items()}
        methods = {name: list(functions_of(held)) for name, held in members.items()}
        users = {name: [f for f in functions if is_users(f)] for name, functions in methods.items()}
        overridden = {name for each in cls.__mro__ if not is_users(each) and each is not object for name in vars(each)}
        has_base = len(own) + 1 < len(cls.__mro__)
        waiting = [
            name for name, functions in methods.items()
            if functions and name not in _NOT_COMPUTING and not name.startswith("on_")
            and (name in overridden or name == "__call__" or not has_base)
        ]  # fmt: skip
        reached, uses = set[str](), Uses()
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                for function in users[name]:  # what distnet puts into the class is the same on every rank
                    uses.take(function.__code__)
                waiting += sorted(uses.names & {other for other, functions in methods.items() if functions} - reached)
        state = set(self.state)
        written = {name: [self.value(f, depth + 1) for f in methods[name]] for name in sorted(reached)}
        self.state = state  # what methods set concerns their own objects
        held = {} if owner is None else attributes_of(owner)
        attributes = {**{name: value for name, value in members.items() if not methods[name]}, **held}
        read = {name: value for name, value in attributes.items() if name not in _OF_DISTNET}
        read = self._named(read, set(read) if _has_library_base(cls) else self.names)
        return {
            "class": cls.__qualname__,
            "methods": {name: parts[0] if len(parts) == 1 else parts for name, parts in written.items()},
            "attributes": self.value(
                {name: value for name, value in read.items() if is_read(name, value, uses)}, depth + 1
            ),
        }


def _environment(code: CodeType, uses: Uses) -> dict[str, str]:
    """The environment variables that it names, if it reads any."""
    if not uses.names & {"environ", "getenv"}:
        return {}
    named = [constant for each in (code, *codes_in(code)) for constant in each.co_consts]
    return {name: os.environ[name] for name in named if isinstance(name, str) and name in os.environ}


@dataclass
class _OfModule:
    """Stands for what a module defines."""

    __module__: str


def _is_of_this_process(value: Any) -> bool:
    """Whether it is the process's machine, a moment since it began, or the path of something there.

    Each process may have others. What is read from a path is compared as data, or as weights. The process's number is
    no such value: in a container it is small, and a number of units may be equal to it, on one rank alone.
    """
    if isinstance(value, datetime):
        try:
            value = value.timestamp()
        except (OverflowError, ValueError):  # the first year, or pandas' NaT
            return False
    if isinstance(value, float):
        return _BEGAN <= value <= time.time()
    if not isinstance(value, str | PurePath):
        return False
    return value == platform.node() or (os.path.isabs(value) and os.path.exists(value))


def _value_of(held: Any) -> Any:
    """Of a variable that is no weight of a model what it holds now; anything else as it is."""
    return getattr(held, "free_value", held) if type(held).__module__.startswith("distnet.") else held


def _has_library_base(cls: type) -> bool:
    """Whether code of a library's, which is not read, may use any of an object's attributes."""
    tops = {each.__module__.partition(".")[0] for each in cls.__mro__ if not is_users(each)}
    return any(top not in ("distnet", "builtins") and top not in sys.stdlib_module_names for top in tops)


def _rest(parts: list[Any]) -> str:
    """Stands for the entries after the first ones."""
    return f"{len(parts)} entries, the rest of checksum {zlib.crc32(repr(parts[_MOST_ENTRIES:]).encode()):08x}"


def is_filled(cell: Any) -> bool:
    """Whether a variable of an enclosing function has a value by now."""
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that is set later
        return False


def functions_of(member: Any) -> Iterable[FunctionType]:
    """The Python functions of a class's member."""
    if isinstance(member, staticmethod | classmethod):
        member = member.__func__
    given = (member.fget, member.fset) if isinstance(member, property) else (getattr(member, "__wrapped__", member),)
    return (each for each in given if isinstance(each, FunctionType))


def _library_function(function: FunctionType) -> Json:
    return f"{function.__module__}.{function.__qualname__} {zlib.crc32(function.__code__.co_code):08x}"


def _array(array: np.ndarray[Any, Any]) -> Json:
    if array.size <= _MOST_ENTRIES and array.dtype.kind in "biuf":
        return {"dtype": str(array.dtype), "shape": list(array.shape), "values": array.tolist()}
    return {"dtype": str(array.dtype), "shape": list(array.shape), "checksum": f"{checksum(array):08x}"}


def _state_of(generator: np.random.Generator | np.random.RandomState | random.Random) -> str:
    """A checksum of what decides its next numbers."""
    if isinstance(generator, np.random.Generator):
        state: object = generator.bit_generator.state
    else:
        state = generator.getstate() if isinstance(generator, random.Random) else generator.get_state(legacy=False)
    return f"checksum {zlib.crc32(repr(state).encode()):08x}"


def _shortened(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}... (checksum {zlib.crc32(text.encode(errors='replace')):08x})"


def _kind(value: Any) -> str:
    return _kind_of(type(value))


def _kind_of(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
