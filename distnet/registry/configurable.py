"""A dataclass's fields as Keras's JSON and back: what ``get_config`` writes, ``from_config`` reads."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import operator
from collections.abc import Callable, Mapping, Set
from itertools import repeat
from typing import Any, Self, cast

import numpy as np

from distnet.arguments import check_fields
from distnet.errors import ArgumentError
from distnet.registry.custom_objects import is_describing, registered_name
from distnet.registry.users_code import described, is_of_user
from distnet.types import Json

IF_SET = {"config": "if set"}
"""Metadata of a field that some versions of Keras do not know: saved only if it differs from its default."""

LEFT_OUT = {"config": False}
"""Metadata of a field that is never written."""

BESIDE = {"config": "beside"}
"""Metadata of a field that no Keras knows: saved next to the Keras config, where Keras ignores it."""

_JSON = (bool, int, float, str, type(None))
"""Types that are JSON as they are."""

_NO_NAMES: frozenset[str] = frozenset()

_OURS = "distnet"
"""The key of what is saved next to a config."""


class Configurable:
    """A dataclass whose fields are its constructor, its attributes and its Keras config.

    Fields annotated as bool, int or float accept nothing else: see ``arguments.check_fields``.
    """

    def __post_init__(self) -> None:
        if dataclasses.is_dataclass(self):
            check_fields(self)

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments as JSON, in the order of the fields.

        ``IF_SET`` and ``LEFT_OUT`` leave out fields: a file with fewer keys is read by more versions of Keras.
        """
        fields = _fields_of(cast(Any, type(self)))
        needed = self._needs_written()
        names, values = fields.always, fields.read_always(self)
        given = fields.read_optional(self)
        if needed or given != fields.defaults:
            pairs = zip(fields.optional, given, fields.defaults, strict=True)
            names = fields.in_order({*names, *needed, *(name for name, value, default in pairs if value != default)})
            values = _reading(names)(self)
        config: dict[str, Any] = dict(zip(names, values, strict=True))
        if not all(map(isinstance, values, repeat(_JSON))):
            config = {name: to_json(value) for name, value in config.items()}
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the object from a configuration that ``get_config`` wrote, here or in Keras.

        An unknown key whose value is None or False is ignored: it is an option of some Keras that
        the object does not use.

        Raises:
            ArgumentError: ``config`` uses an option that the constructor does not know.
        """
        known = _parameters(cast(Any, cls))
        takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
        unknown = {key for key in config if key not in known and not takes_all}
        used = sorted(key for key in unknown if config[key] is not None and config[key] is not False)
        if used:
            raise ArgumentError(f"{cls.__name__}: unknown configuration keys {used}. Expected some of {sorted(known)}.")
        missing = [name for name in required_arguments(cls) if name not in config]
        if missing:
            raise ArgumentError(f"{cls.__name__}: the configuration lacks {missing}, received {sorted(config)}.")
        return cls(**cast(dict[str, Any], {key: value for key, value in config.items() if key not in unknown}))

    def _needs_written(self) -> Set[str]:
        """The names of fields that are written now, though their class would leave them out."""
        return _NO_NAMES

    def as_json(self) -> Json:
        """Keras's ``{"class_name", "config"}`` of this object."""
        config = self.get_config()
        ours = {name: config.pop(name) for name in fields_beside(type(self)) if name in config}
        described: dict[str, Json] = {"class_name": registered_name(type(self)), "config": config}
        return said_beside(described, **ours) if ours else described


@dataclasses.dataclass(frozen=True)
class _Fields:
    """The fields of a class, as ``get_config`` sees them.

    Args:
        all: names, in order.
        always: names of those that are written whatever their values.
        optional: names of those that are written only if they differ from their defaults.
        defaults: of these.
        read_always, read_optional: give an object's values of these.
    """

    all: tuple[str, ...]
    always: tuple[str, ...]
    optional: tuple[str, ...]
    defaults: tuple[Any, ...]
    read_always: Callable[[object], tuple[Any, ...]]
    read_optional: Callable[[object], tuple[Any, ...]]

    def in_order(self, names: Set[str]) -> tuple[str, ...]:
        """Those among these names that are fields, in the order of the fields."""
        return tuple(name for name in self.all if name in names)


@functools.cache
def _fields_of(cls: type) -> _Fields:
    """Of a dataclass; of another class none."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    rules = {f.name: f.metadata.get("config", True) for f in fields}
    defaults = {f.name: f.default for f in fields if rules[f.name] in (IF_SET["config"], BESIDE["config"])}
    always, optional = tuple(name for name, rule in rules.items() if rule and name not in defaults), tuple(defaults)
    return _Fields(tuple(rules), always, optional, tuple(defaults.values()), _reading(always), _reading(optional))


@functools.cache
def _reading(names: tuple[str, ...]) -> Callable[[object], tuple[Any, ...]]:
    """What gives an object's attributes of these names; ``attrgetter`` makes no tuple of one."""
    if len(names) < 2:
        return lambda owner: tuple(getattr(owner, name) for name in names)
    return operator.attrgetter(*names)


def to_json(value: object) -> Json:
    """The JSON of a configuration value: numbers, strings, sequences, mappings, registered objects.

    Raises:
        ArgumentError: the value has no JSON form.
    """
    if isinstance(value, _JSON):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return cast(Json, value.tolist())
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if is_describing() and is_of_user(value):
        return _with_code(value)
    if isinstance(value, Configurable):
        return value.as_json()
    if hasattr(value, "get_config"):
        return {"class_name": registered_name(type(value)), "config": to_json(value.get_config())}
    if callable(value) and (hasattr(value, "__name__") or is_describing()):
        return registered_name(value)
    raise ArgumentError(
        f"{value!r} cannot be written as JSON. Give its class a get_config method, or use a function that has a name."
    )


def users_code_of(value: Any) -> Json:
    """What is compared of a user's function or object: see ``described``; None for one of distnet's."""
    return described(value, _referred_to) if is_of_user(value) else None


def _with_code(value: Any) -> Json:
    """What is compared of a user's function or object: its configuration, if it has one, and its code."""
    code = users_code_of(value)
    if not hasattr(value, "get_config") or isinstance(value, type):
        return code
    try:
        written = value.as_json() if isinstance(value, Configurable) else to_json(value.get_config())
    except Exception:  # a user's get_config may do anything, and is needed for files only
        return code
    return {**(written if isinstance(written, dict) else {"config": written}), "code": code}


def _referred_to(value: Any) -> Json:
    """What is compared of an object of distnet's that a user's code refers to, apart from its name."""
    written: Json = None
    if hasattr(value, "get_config") and not hasattr(value, "layers"):
        with contextlib.suppress(ArgumentError, NotImplementedError):
            written = value.as_json() if isinstance(value, Configurable) else to_json(value)
    if written is None:
        name = getattr(value, "__name__", None)  # of functions that are objects
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        return f"{kind} {value.__module__}.{name}" if isinstance(name, str) else kind
    if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
        return written
    return {**written, "config": {key: part for key, part in written["config"].items() if key != "name"}}


def fields_beside(cls: type) -> list[str]:
    """The names of a class's fields, or of its ``SETTINGS_BESIDE``, that are saved next to its config."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    settings: tuple[str, ...] = getattr(cls, "SETTINGS_BESIDE", ())
    return [*(f.name for f in fields if f.metadata.get("config") == BESIDE["config"]), *settings]


def said_beside(spec: Mapping[str, Any], **ours: Json) -> dict[str, Any]:
    """A configuration with more saved next to it; a class takes what it has fields for."""
    return {**spec, _OURS: {**beside(spec), **ours}}


def beside(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """What distnet saved next to a configuration."""
    ours = spec.get(_OURS)
    return ours if isinstance(ours, Mapping) else {}


@functools.cache
def _parameters(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls).parameters


def required_arguments(cls: type) -> list[str]:
    """The class's required arguments."""
    named = [p for p in _parameters(cls).values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.default is p.empty]
