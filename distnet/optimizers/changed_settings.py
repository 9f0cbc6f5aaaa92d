"""What callbacks change of an optimizer in training, and how the ranks are made alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, cast

from distnet.errors import ArgumentError
from distnet.registry import IF_SET, Configurable
from distnet.types import Json


def changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> dict[str, Json]:
    """The entries of a configuration that have changed."""
    return {key: value for key, value in after.items() if before.get(key) != value}


@cache
def _left_out(kind: type) -> dict[str, Json]:
    """What a configuration leaves out while it has its default."""
    return {f.name: cast(Json, f.default) for f in fields(kind) if f.metadata.get("config") == IF_SET["config"]}


class HasSettings(Configurable, ABC):
    """An optimizer's configuration as something that changes."""

    @abstractmethod
    def overwrite_learning_rate(self, value: float) -> None:
        """Set the learning rate to a number."""

    def settings(self) -> dict[str, Json]:
        """What callbacks may change in training: all values needed to make ranks alike, of options not set, too."""
        return {**_left_out(type(self)), **self.get_config()}

    def check_settings(self, values: Mapping[str, Json]) -> None:
        """Fail unless the optimizer can take these settings.

        Raises:
            ArgumentError: it has no such option, or its constructor refuses a value.
        """
        config = self.get_config()
        known = {*config, *(f.name for f in fields(cast(Any, self)))}
        if not values.keys() <= known:
            raise ArgumentError(f"expected some of {sorted(known)}, received {sorted(values)}")
        if values:
            self.from_config({**config, **values})

    def configure(self, values: Mapping[str, Json]) -> None:
        """Change settings; a number as learning rate replaces a schedule."""
        for name, value in values.items():
            if name == "learning_rate" and isinstance(value, int | float):
                self.overwrite_learning_rate(value)
            else:
                setattr(self, name, value)
