"""Class <-> name, and the only JSON codec: what ``get_config`` writes, ``from_config`` reads.

One ``Registry`` a family (layers, losses, optimizers ...). A class is registered once, under its own
name and Keras's aliases; it is then found by string, by Keras's ``{"class_name", "config"}`` dict, by
itself. Objects that a user hands over are used as they are.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, Self, TypeVar, cast, overload

import numpy as np

from distnet.arguments import check_fields
from distnet.errors import ArgumentError, UnknownNameError
from distnet.types import Json

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])

_registered_custom: dict[str, Any] = {}
_describing: ContextVar[bool] = ContextVar("describing", default=False)
_scoped_custom: ContextVar[Mapping[str, Any] | None] = ContextVar("custom_objects", default=None)


IF_SET = {"config": "if set"}
"""Metadata of a field that some Keras does not know: it is written only where it differs from its default."""

LEFT_OUT = {"config": False}
"""Metadata of a field that is never written."""

BESIDE = {"config": "beside"}
"""Metadata of a field that no Keras knows: where it is set it is written beside the config, where none looks."""

_OURS = "distnet"
"""The key of what is written beside a config."""


class Configurable:
    """A dataclass whose fields are its constructor, its attributes and its Keras config.

    Fields annotated as bool, int or float take nothing else: see ``arguments.check_fields``.
    """

    def __post_init__(self) -> None:
        if dataclasses.is_dataclass(self):
            check_fields(self)

    def get_config(self) -> dict[str, Json]:
        """The constructor's arguments as JSON, in the order of the fields.

        What ``IF_SET`` and ``LEFT_OUT`` say of a field holds: a file with fewer keys is read by more versions of Keras.
        """
        fields = dataclasses.fields(cast(Any, self))
        return {f.name: to_json(getattr(self, f.name)) for f in fields if self._is_written(f)}

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the object that ``get_config`` described, here or in Keras.

        A key that is unknown here and whose value is None or False is an option of some Keras that
        the object does not use: it is passed over.

        Raises:
            ArgumentError: ``config`` uses an option that the constructor does not know.
        """
        known = _parameters(cast(Any, cls))
        takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
        unknown = {key for key in config if key not in known and not takes_all}
        used = sorted(key for key in unknown if config[key] is not None and config[key] is not False)
        if used:
            raise ArgumentError(f"{cls.__name__}: unknown configuration keys {used}. Expected some of {sorted(known)}.")
        missing = [name for name in _required(cls) if name not in config]
        if missing:
            raise ArgumentError(f"{cls.__name__}: the configuration lacks {missing}, received {sorted(config)}.")
        return cls(**cast(dict[str, Any], {key: value for key, value in config.items() if key not in unknown}))

    def _is_written(self, f: dataclasses.Field[Any]) -> bool:
        rule = f.metadata.get("config", True)
        is_optional = rule in (IF_SET["config"], BESIDE["config"])
        return bool(rule) and not (is_optional and getattr(self, f.name) == f.default)

    def as_json(self) -> Json:
        """Keras's ``{"class_name", "config"}`` of this object."""
        config = self.get_config()
        ours = {name: config.pop(name) for name in fields_beside(type(self)) if name in config}
        found: dict[str, Json] = {"class_name": registered_name(type(self)), "config": config}
        return said_beside(found, **ours) if ours else found


class Registry(Generic[T]):
    """The classes of one family by name.

    Args:
        kind: what a member is called in messages, for example ``"optimizer"``.
        base: the class or protocol that every member is an instance of.
        adapt: makes a member of a user's plain function; without it functions are refused.
        providers: modules that register members when they are imported; imported when a name is missing.
        module: Keras 3's, in which it has the members.
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        adapt: Callable[[Callable[..., Any]], T] | None = None,
        providers: Sequence[str] = (),
        module: str = "keras",
    ) -> None:
        self.module = module
        self.providers = providers
        self.kind = kind
        self.base = base
        self.adapt = adapt
        self.members: dict[str, type[T] | T] = {}
        self._by_key: dict[str, type[T] | T] = {}
        self._spelled: dict[str, str] = {}

    def register(self, *aliases: str) -> Callable[[C], C]:
        """Decorate a class: it is found by its own name and by ``aliases``."""

        def decorate(cls: C) -> C:
            self.add(cls.__name__, cast("type[T]", cls), *aliases)
            return cls

        return decorate

    def add(self, name: str, member: type[T] | T, *aliases: str) -> None:
        """Register a class, or a ready instance, under ``name`` and ``aliases``."""
        for spelled in (name, *aliases):
            key = _normalized(spelled)
            if self._by_key.get(key, member) is not member:
                raise ArgumentError(f"the {self.kind} name {name!r} is taken by {self._by_key[key]!r}.")
            self._by_key[key] = member
            self._spelled.setdefault(key, spelled)
        self.members[name] = member

    def classes(self) -> dict[str, type[T]]:
        """The registered classes by their own names."""
        return {name: member for name, member in self.members.items() if isinstance(member, type)}

    def get(self, spec: object) -> T:
        """The member that ``spec`` means.

        Args:
            spec: a member, its class, its name, Keras's ``{"class_name", "config"}`` or, in families
                that adapt functions, a function.

        Raises:
            UnknownNameError: no member has that name.
            ArgumentError: ``spec`` is none of these.
        """
        if isinstance(spec, str):
            return self._instance(self.find(spec))
        if isinstance(spec, Mapping):
            return self._from_json(spec)
        if not isinstance(spec, self.base) or isinstance(spec, type):
            return self._instance(spec)
        return spec

    def knows(self, name: str) -> bool:
        """Whether a member, or a custom object, has this name."""
        try:
            self.find(name)
        except UnknownNameError:
            return False
        return True

    def optional(self, spec: object) -> T | None:
        """As ``get``; None stays None."""
        return None if spec is None else self.get(spec)

    def find(self, name: str) -> object:
        """The class, instance or custom object registered as ``name``.

        Raises:
            UnknownNameError: there is none.
        """
        for custom in (_scoped_custom.get() or {}, _registered_custom):
            if name in custom:
                return custom[name]
        found = self._by_key.get(_normalized(name))
        if found is None:
            for provider in self.providers:
                importlib.import_module(provider)
            found = self._by_key.get(_normalized(name))
        if found is None:
            close = difflib.get_close_matches(_normalized(name), self._spelled, n=3)
            hint = f"Did you mean {' or '.join(repr(self._spelled[key]) for key in close)}? " if close else ""
            raise UnknownNameError(
                f"unknown {self.kind} {name!r}. {hint}Expected one of {sorted(self.members)}, or a class or function "
                "of your own in custom_objects."
            )
        return found

    def _from_json(self, spec: Mapping[str, Any]) -> T:
        name, config = spec.get("registered_name") or spec.get("class_name"), spec.get("config")
        if name == "function":
            name, config = config, None
        if not isinstance(name, str) or not (config is None or isinstance(config, Mapping)):
            raise ArgumentError(
                f'{self.kind}: expected {{"class_name": str, "config": dict}}, received {dict(spec)!r}.'
            )
        if not is_custom(name):
            name = name.rpartition(">")[2]
        found = self.find(name)
        if isinstance(found, type) and hasattr(found, "from_config"):
            ours = {name: value for name, value in beside(spec).items() if name in fields_beside(found)}
            return cast(T, found.from_config({**(config or {}), **ours}))
        return self._instance(found)

    def _instance(self, found: object) -> T:
        if isinstance(found, type) and issubclass(found, self.base):
            missing = _required(found)
            if missing:
                raise ArgumentError(
                    f"the {self.kind} {found.__name__} needs {', '.join(missing)}. Pass an object, such as "
                    f"{found.__name__}({missing[0]}=...)."
                )
            return found()
        if isinstance(found, self.base):
            return found
        if callable(found) and self.adapt is not None and not isinstance(found, type):
            return self.adapt(found)
        article = "an" if self.kind[0] in "aeiou" else "a"
        raise ArgumentError(f"expected {article} {self.kind} (name, object, class or config), received {found!r}.")

    def with_module(self, value: Json) -> Json:
        """A structure whose objects say where Keras 3 finds them: in its module, a user's by their full names.

        Without that, Keras 3 finds no object within another one. Keras 2 reads both forms.
        """
        if isinstance(value, list):
            return [self.with_module(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = value.get("class_name")
        if not isinstance(name, str):
            return {key: self.with_module(item) for key, item in value.items()}
        if ">" in name:
            return {**value, "module": None, "class_name": name.rpartition(">")[2], "registered_name": name}
        member = self.members.get(name)
        if member is None or not member.__module__.startswith("distnet."):
            return value
        return {**value, "module": getattr(member, "keras_module", self.module), "registered_name": None}

    def field(self, default: object) -> Resolved[T]:
        """A dataclass field that holds a member and takes any spec of one."""
        return Resolved(self.get, default)

    def optional_field(self) -> Resolved[T | None]:
        """A dataclass field that holds a member or None, which is its default."""
        return Resolved(self.optional, None)


class Resolved(Generic[T]):
    """A dataclass field that turns what is assigned into the object it names.

    ``activation: Resolved[Activation] = ACTIVATIONS.field("linear")`` takes ``"relu"``, a config dict
    or an object, in the constructor as well as later, and always gives back the object.
    """

    def __init__(self, resolve: Callable[[object], T], default: object) -> None:
        self.resolve = resolve
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Any: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Any:
        if instance is None:
            return self.default
        return instance.__dict__[self.name]

    def __set__(self, instance: object, value: object) -> None:
        instance.__dict__[self.name] = self.resolve(value)


def to_json(value: object) -> Json:
    """The JSON of a configuration value: numbers, strings, sequences, mappings, registered objects.

    Raises:
        ArgumentError: the value has no JSON form.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return cast(Json, value.tolist())
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Configurable):
        return value.as_json()
    if hasattr(value, "get_config"):
        return {"class_name": registered_name(type(value)), "config": to_json(value.get_config())}
    if callable(value) and (hasattr(value, "__name__") or _describing.get()):
        return registered_name(value)
    raise ArgumentError(
        f"{value!r} cannot be written as JSON. Give its class a get_config method, or give a function that has a name."
    )


def registered_name(obj: Any) -> str:
    """The name under which a class or function is written to JSON."""
    for name, custom in _registered_custom.items():
        if custom is obj:
            return name
    if _describing.get() and not hasattr(obj, "__name__"):
        inner = [registered_name(obj.func), *sorted(obj.keywords)] if isinstance(obj, functools.partial) else []
        return " ".join([type(obj).__qualname__, *inner])
    return str(obj.__name__)


@contextmanager
def describing() -> Iterator[None]:
    """Within the block, JSON is not to be read again: a function without a name is told by its class."""
    token = _describing.set(True)
    try:
        yield
    finally:
        _describing.reset(token)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[C], C]:
    """Decorate a class or function of your own: saved files find it as ``package>name``.

    Source: ``keras.saving.register_keras_serializable``.
    """

    def decorate(obj: C) -> C:
        _registered_custom[f"{package}>{name or obj.__name__}"] = obj
        return obj

    return decorate


def get_custom_objects() -> dict[str, Any]:
    """The classes and functions of your own that saved files find, by name; may be added to.

    Source: ``keras.saving.get_custom_objects``.
    """
    return _registered_custom


def known_custom_objects() -> dict[str, Any]:
    """The classes and functions of the user's that are known here and now; those of the scope go first.

    Source: ``keras.saving.get_registered_object``.
    """
    return {**_registered_custom, **(_scoped_custom.get() or {})}


def is_custom(name: str) -> bool:
    """Whether the user has given a class or function of this name."""
    return name in _registered_custom or name in (_scoped_custom.get() or {})


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Within the block these names mean these classes and functions, in every family.

    Raises:
        ArgumentError: they come without names.
    """
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        raise ArgumentError(
            f"custom_objects: expected a dict of classes and functions by name, received {custom_objects!r:.100}."
        )
    token = _scoped_custom.set({**(_scoped_custom.get() or {}), **(custom_objects or {})})
    try:
        yield
    finally:
        _scoped_custom.reset(token)


def fields_beside(cls: type) -> list[str]:
    """The names of a class's fields, or of its ``SETTINGS_BESIDE``, that are written beside its config."""
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    settings: tuple[str, ...] = getattr(cls, "SETTINGS_BESIDE", ())
    return [*(f.name for f in fields if f.metadata.get("config") == BESIDE["config"]), *settings]


def said_beside(spec: Mapping[str, Any], **ours: Json) -> dict[str, Any]:
    """A configuration with more beside it, of which classes take what they have fields for."""
    return {**spec, _OURS: {**beside(spec), **ours}}


def beside(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was written beside a configuration, for distnet alone."""
    ours = spec.get(_OURS)
    return ours if isinstance(ours, Mapping) else {}


@functools.cache
def _parameters(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls).parameters


def _required(cls: type) -> list[str]:
    """The arguments without which an object of the class cannot be made."""
    named = [p for p in _parameters(cls).values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [p.name for p in named if p.default is p.empty]


def _normalized(name: str) -> str:
    return name.lower().replace("_", "")
