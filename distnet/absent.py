"""Names that Keras has and distnet lacks: they can be imported, and say why when they are used."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from distnet.errors import AbsentError


class Absent:
    """Stands for a function, class or module of Keras that distnet lacks.

    Args:
        name: its full name.
        reason: why it is missing, and what to use instead.
    """

    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse to be called.

        Raises:
            AbsentError: always.
        """
        self._refuse(self._name)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(f"{self._name} is not in distnet: {self._reason}")
        self._refuse(f"{self._name}.{name}")

    def __mro_entries__(self, bases: tuple[Any, ...]) -> NoReturn:
        self._refuse(self._name)

    def __instancecheck__(self, instance: object) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<{self._name}: not in distnet>"

    def _refuse(self, what: str) -> NoReturn:
        raise AbsentError(f"{what} is not in distnet: {self._reason}")


def names_elsewhere(
    here: str, rooms: Sequence[str] = (), absent: Mapping[str, str] | None = None
) -> Callable[[str], Any]:
    """A module's ``__getattr__`` for names of other modules, its submodules, and absent names.

    Args:
        here: the module's name.
        rooms: modules whose names it also offers.
        absent: name -> why it is missing.
    """
    refused = absent or {}

    def find(name: str) -> Any:
        if not name.startswith("_"):
            for room in rooms:
                module = importlib.import_module(f"distnet.{room}")
                value = getattr(module, name, None)
                if value is not None and not (isinstance(value, Absent) and name in refused):
                    return value
        if name in refused:
            return Absent(f"{here.replace('distnet', 'keras', 1)}.{name}", refused[name])
        # Keras's packages offer their submodules without importing each.
        is_package = not name.startswith("_") and hasattr(sys.modules[here], "__path__")
        if is_package and importlib.util.find_spec(f"{here}.{name}") is not None:
            return importlib.import_module(f"{here}.{name}")
        raise AttributeError(f"module {here!r} has no attribute {name!r}")

    return find


def because(reason: str, names: str) -> dict[str, str]:
    """The same reason for several names, which are separated by spaces."""
    return dict.fromkeys(names.split(), reason)
