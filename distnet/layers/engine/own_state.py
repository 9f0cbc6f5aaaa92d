"""What a user's layer keeps in files by methods of its own: Keras's ``save_own_variables`` and ``save_assets``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar

import numpy as np

from distnet.errors import ArgumentError
from distnet.layers.engine.build_config import overrides
from distnet.types import Array
from distnet.variables import Variable, trainable_first


class HasOwnState(ABC):
    """The methods; a class that keeps more than its weights, or other things, overrides them."""

    keeps_own_arrays: ClassVar[bool] = False
    """Whether a built-in class says by ``save_own_variables`` which arrays files keep of it."""
    keeps_assets: ClassVar[bool] = False
    """Whether archives keep files of a built-in class."""
    has_own_files: ClassVar[bool] = False
    """Whether it is no model, and yet saved by itself in an archive."""

    name: str

    @property
    @abstractmethod
    def variables(self) -> list[Variable]:
        """All variables, with those of layers within."""

    @abstractmethod
    def inner_layers(self) -> Iterable[tuple[str, Any]]:
        """The layers within, each with the path to it."""

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights, without those of layers within, into ``store``: ``"0"``, ``"1"`` ..., those to train first.

        Source: ``keras.layers.Layer.save_own_variables``.
        """
        for number, variable in enumerate(self._variables_of_its_own()):
            store[str(number)] = variable.stored

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights from what ``save_own_variables`` made.

        Raises:
            ArgumentError: it holds another number of arrays.

        Source: ``keras.layers.Layer.load_own_variables``.
        """
        own = self._variables_of_its_own()
        if store.keys() != {str(number) for number in range(len(own))}:
            raise ArgumentError(f"{self.name}: expected {len(own)} weights, received {sorted(store)}.")
        for number, variable in enumerate(own):
            variable.assign(np.asarray(store[str(number)]))

    def save_assets(self, inner_path: str) -> None:
        """Write files into the folder ``inner_path``, which ``.keras`` archives keep: by default none.

        Source: ``keras.layers.Layer.save_assets``.
        """
        return

    def load_assets(self, inner_path: str) -> None:
        """Read the files that ``save_assets`` wrote.

        Source: ``keras.layers.Layer.load_assets``.
        """
        return

    def _variables_of_its_own(self) -> list[Variable]:
        within = {id(variable) for _, layer in self.inner_layers() for variable in layer.variables}
        own = [variable for variable in self.variables if id(variable) not in within]
        return trainable_first(own)


def has_own_variables(layer: Any) -> bool:
    """Whether its class says which arrays it keeps in files."""
    return layer.keeps_own_arrays or overrides(layer, "save_own_variables", "load_own_variables")


def has_assets(layer: Any) -> bool:
    """Whether its class keeps files in archives."""
    return layer.keeps_assets or overrides(layer, "save_assets", "load_assets")


def arrays_of(layer: Any) -> dict[str, Array]:
    """What ``save_own_variables`` of a user's class gives, as arrays.

    Raises:
        ArgumentError: there is something else than numbers.
    """
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    arrays = {str(key): np.asarray(getattr(value, "value", value)) for key, value in store.items()}
    for key, array in arrays.items():
        if array.dtype.kind not in "biufc":
            raise ArgumentError(
                f"{layer.name}: save_own_variables: expected arrays of numbers, received {array.dtype} as {key!r}. "
                "Keep texts in get_config or save_assets."
            )
    return arrays


def every_layer(owner: Any, where: str = "", seen: set[int] | None = None) -> Iterator[tuple[str, Any]]:
    """All layers within, each once with the first path to it, outer ones first."""
    seen = set() if seen is None else seen
    for path, layer in owner.inner_layers():
        if id(layer) not in seen:
            seen.add(id(layer))
            yield where + path, layer
            yield from every_layer(layer, f"{where}{path}/", seen)
