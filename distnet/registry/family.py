"""Class <-> name: one ``Registry`` a family (layers, losses, optimizers ...).

A class is registered once, under its own name and Keras's aliases; it can then be given by name, by Keras's
``{"class_name", "config"}`` dict, or as a class. Objects that a user passes are used as they are.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar, cast, overload

from distnet.errors import ArgumentError, DistnetError, UnknownNameError
from distnet.late_rooms import fetched
from distnet.registry.configurable import beside, fields_beside, required_arguments
from distnet.registry.custom_objects import is_custom, known_custom_objects
from distnet.types import Json

T = TypeVar("T")

_MOST_CHARACTERS = 500
"""Of the names that an error lists: more than these are not read."""
C = TypeVar("C", bound=Callable[..., Any])


class Registry(Generic[T]):
    """The classes of one family by name.

    Args:
        kind: name of a member in messages, for example ``"optimizer"``.
        base: the class or protocol that every member is an instance of.
        adapt: makes a member of a user's plain function; without it functions are refused.
        module: Keras 3's, in which it has the members.
    """

    def __init__(
        self,
        kind: str,
        base: type[T],
        adapt: Callable[[Callable[..., Any]], T] | None = None,
        module: str = "keras",
    ) -> None:
        self.module = module
        self.kind = kind
        self.base = base
        self.adapt = adapt
        self.members: dict[str, type[T] | T] = {}
        """Those whose modules are imported by now."""
        self._by_key: dict[str, type[T] | T] = {}
        self._spelled: dict[str, str] = {}
        self._homes: dict[str, str] = {}
        self._rooms = set[str]()

    def register(self, *aliases: str) -> Callable[[C], C]:
        """Decorate a class, to register it under its own name and ``aliases``."""

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

    def expect(self, homes: Mapping[str, str]) -> None:
        """Say which modules register members when they are imported: name -> module."""
        self._homes |= {_normalized(name): module for name, module in homes.items()}
        self._rooms |= set(homes.values())

    def classes(self) -> dict[str, type[T]]:
        """The registered classes by their own names, with those whose modules nothing has imported yet."""
        for key in self._homes:
            self._ask_for(key)
        return {name: member for name, member in self.members.items() if isinstance(member, type)}

    def names_of(self, member: type[T] | T) -> list[str]:
        """All names under which members are registered."""
        return [self._spelled[key] for key, other in self._by_key.items() if other is member]

    def get(self, spec: object) -> T:
        """The member given by ``spec``.

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
        """Like ``get``; None stays None."""
        return None if spec is None else self.get(spec)

    def find(self, name: str) -> object:
        """The class, instance or custom object registered as ``name``.

        Raises:
            UnknownNameError: there is no such name.
        """
        custom = known_custom_objects()
        if name in custom:
            return custom[name]
        member = self._by_key.get(_normalized(name))
        if member is None:
            rooms = self._fetched(_normalized(name))
            member = next((made for _ in rooms if (made := self._by_key.get(_normalized(name))) is not None), None)
        if member is None:
            raise UnknownNameError(
                f"unknown {self.kind} {name!r}. {self._hint(name)}If it is your own, decorate it with "
                f"@register_keras_serializable() where it is defined, or pass custom_objects={{{name!r}: ...}}."
            )
        self._import(member.__module__)
        return member

    def named(self, name: str) -> type[T] | T | None:
        """The member whose own name this is; None if there is none."""
        member = self.members.get(name)
        self._import(self.home_of(name) if member is None else member.__module__)
        return self.members.get(name)

    def home_of(self, name: str) -> str | None:
        """The module that is expected to register this name."""
        return self._homes.get(_normalized(name))

    def _ask_for(self, key: str) -> None:
        """Import the module that is expected to register it, if there is one."""
        self._import(self._homes.get(key))

    def _import(self, module: str | None) -> None:
        """Import a module of members; one that another thread is importing is waited for, for they may not be whole."""
        if module is not None and module in self._rooms:
            importlib.import_module(module)

    def _fetched(self, key: str) -> Iterator[object]:
        """Import what may register it: the module that is expected to, then all others, for it may be an alias."""
        self._ask_for(key)
        yield None
        yield self.classes()
        yield from fetched(self.kind)

    def _hint(self, name: str) -> str:
        """The names that are meant, perhaps; all, where these are few."""
        close = difflib.get_close_matches(_normalized(name), self._spelled, n=3)
        if close:
            return f"Did you mean {' or '.join(repr(self._spelled[key]) for key in close)}? "
        names = ", ".join(map(repr, sorted(self.members)))
        return f"Expected one of {names}. " if len(names) < _MOST_CHARACTERS else ""

    def _from_json(self, spec: Mapping[str, Any]) -> T:
        name, config = spec.get("registered_name") or spec.get("class_name"), spec.get("config")
        if name == "function":
            name, config = config, None
        if not isinstance(name, str) or not (config is None or isinstance(config, Mapping)):
            raise ArgumentError(
                f'{self.kind}: expected {{"class_name": str, "config": dict}}, received {dict(spec)!r}.'
            )
        is_users = is_custom(name)
        member = self.find(name if is_users else name.rpartition(">")[2])
        if not isinstance(member, type) or not hasattr(member, "from_config"):
            return self._instance(member)
        ours = {name: value for name, value in beside(spec).items() if name in fields_beside(member)}
        config = {**(config or {}), **ours}
        return cast(T, _made_by_user(member, config) if is_users else member.from_config(config))

    def _instance(self, member: object) -> T:
        if isinstance(member, type) and issubclass(member, self.base):
            missing = required_arguments(member)
            if missing:
                raise ArgumentError(
                    f"the {self.kind} {member.__name__} needs {', '.join(missing)}. Pass an object, such as "
                    f"{member.__name__}({missing[0]}=...)."
                )
            return member()
        if isinstance(member, self.base):
            return member
        if callable(member) and self.adapt is not None and not isinstance(member, type):
            return self.adapt(member)
        article = "an" if self.kind[0] in "aeiou" else "a"
        raise ArgumentError(f"expected {article} {self.kind} (name, object, class or config), received {member!r}.")

    def with_module(self, value: Json) -> Json:
        """A structure whose objects name their module in Keras 3, and a user's their full names.

        Without that, Keras 3 finds no object within another one. Every Keras reads both forms.
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
        member = self.named(name)
        if member is None or not member.__module__.startswith("distnet."):
            return value
        return {**value, "module": getattr(member, "keras_module", self.module), "registered_name": None}

    def field(self, default: object) -> Resolved[T]:
        """A dataclass field that holds a member, and accepts any spec of one."""
        return Resolved(self.get, default)

    def optional_field(self) -> Resolved[T | None]:
        """A dataclass field that holds a member or None, which is its default."""
        return Resolved(self.optional, None)


class Resolved(Generic[T]):
    """A dataclass field that turns an assigned value into the object that it names.

    ``activation: Resolved[Activation] = ACTIVATIONS.field("linear")`` accepts ``"relu"``, a config dict
    or an object, in the constructor as well as later, and always returns the object.
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


def _made_by_user(cls: Any, config: Mapping[str, Any]) -> object:
    """An object of a user's class; what the class raises says that it cannot use the configuration."""
    try:
        return cls.from_config(config)
    except DistnetError:
        raise
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise ArgumentError(f"{cls.__name__} cannot be made from {dict(config)!r:.200}: {error!r}.") from error


def _normalized(name: str) -> str:
    return name.lower().replace("_", "")
