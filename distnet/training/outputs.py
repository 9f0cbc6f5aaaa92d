"""How a model's outputs lie in lists, tuples and dicts, and what a caller says of each: targets, weights, losses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.layers.engine.structures import holds_tensors, is_nested, items, leaves, packed, paths
from distnet.types import Array


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model, in order.

    Args:
        form: their numbers in the model's lists, tuples and dicts.
        names: of the layers that make them.
    """

    form: Any
    names: tuple[str, ...]

    @classmethod
    def of(cls, structure: Any, names: Sequence[str]) -> Outputs:
        """The outputs in the lists, tuples and dicts of ``structure``, one leaf for each."""
        return cls(packed(structure, range(len(names))), tuple(names))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def is_flat(self) -> bool:
        """Whether they are the items of one list, tuple or dict."""
        return is_nested(self.form) and len(self.form) == len(self)

    @cached_property
    def keys(self) -> list[str]:
        """What the user calls each output: by the keys of one dict, else by its layer.

        Source: ``keras.src.trainers.compile_utils.CompileMetrics.build``.
        """
        is_dict = isinstance(self.form, Mapping) and self.is_flat
        return [str(key) for key, _ in items(self.form)] if is_dict else list(self.names)

    def arranged(self, given: Any, what: str, optional: Collection[int] = ()) -> list[Any]:
        """What belongs to each output, of ``given`` in the outputs' form, in one list, or in a dict by their names.

        Args:
            what: ``given`` is, for messages.
            optional: numbers of outputs for which nothing need be given: then it is None.

        Raises:
            DataError: a dict with other keys.
            ShapeError: more or fewer than outputs.

        Source: ``keras.src.trainers.compile_utils.CompileLoss.call``.
        """
        if isinstance(given, Mapping):
            return self._of_dict(given, what, optional)
        if isinstance(self.form, list | tuple) and isinstance(given, list | tuple) and len(given) == len(self.form):
            parts = [self._part(own, part, what, optional) for own, part in zip(self.form, given, strict=True)]
            return [value for part in parts for value in part]
        flat = list(leaves(given, _is_structure_or_gap))
        if len(flat) == len(self):
            return flat
        wanted = [i for i in range(len(self)) if i not in optional]
        if len(flat) == len(wanted):
            known = dict(zip(wanted, flat, strict=True))
            return [known.get(i) for i in range(len(self))]
        raise ShapeError(f"{what}: expected them for {len(self)} outputs {self.keys}, received {len(flat)}.")

    def _of_dict(self, given: Mapping[Any, Any], what: str, optional: Collection[int]) -> list[Any]:
        if isinstance(self.form, Mapping) and not self.is_flat:
            own, by = dict(items(self.form)), {i for i in optional if i not in self.form.values()}
            missing = [key for key in own if key not in given and not set(leaves(own[key])) <= {*optional, *by}]
        else:
            own = dict(zip(self.keys, range(len(self)), strict=True))
            missing = [key for key, i in own.items() if key not in given and i not in optional]
        if missing or not set(given) <= set(own):
            raise DataError(f"{what}: expected a dict with the keys {list(own)}, received {list(given)}.")
        parts = [self._part(own[key], given.get(key), what, optional) for key in own]
        return [value for part in parts for value in part]

    def _part(self, own: Any, given: Any, what: str, optional: Collection[int]) -> list[Any]:
        """The same for one item of the form."""
        if not is_nested(own):
            flat = [None] if given is None else list(leaves(given, holds_tensors))
            if len(flat) != 1:
                raise ShapeError(f"{what}: expected one array for {self.keys[own]}, received {len(flat)}.")
            return flat
        numbers = list(leaves(own))
        if given is None:
            return [None] * len(numbers)
        inner = Outputs.of(own, [self.names[i] for i in numbers])
        return inner.arranged(given, what, [i for i, number in enumerate(numbers) if number in optional])

    def paths(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """How each output is reached, and its number."""
        return paths(self.form)


def targets(outputs: Outputs, given: Any, optional: Collection[int]) -> list[Any]:
    """The targets of each output; None for an output that has no loss and was given none.

    Raises:
        DataError, ShapeError: see ``Outputs.arranged``; or an output has a loss and no targets.
    """
    if given is None:
        raise DataError("y: expected an array, received None.")
    arranged = outputs.arranged(given, "y", optional)
    for i, value in enumerate(arranged):
        if value is None and i not in optional:
            raise DataError(f"y: expected targets for the output {outputs.keys[i]}, which has a loss, received None.")
    return arranged


def sample_weights(outputs: Outputs, given: Any) -> list[Any]:
    """The sample weights of each output: one array serves all of them; None for an output whose rows weigh 1.

    Raises:
        DataError, ShapeError: see ``Outputs.arranged``.
    """
    if len(outputs) == 1 and not isinstance(given, Mapping) and not holds_tensors(given):
        return [given]
    if not _is_structure_or_gap(given):
        return [given] * len(outputs)
    return outputs.arranged(given, "sample_weight", range(len(outputs)))


NO_COLUMNS = (0,)
"""The shape of one row of targets where there are none."""


def no_targets(rows: int) -> Array:
    """Stands for the targets of an output that has none."""
    return np.empty((rows, *NO_COLUMNS), "float32")


def _is_structure_or_gap(value: Any) -> bool:
    """Whether it is a structure of arrays, or a list or dict with None among them."""
    if holds_tensors(value):
        return True
    is_list = isinstance(value, list | tuple) and bool(value) and any(item is None for item in value)
    return is_list and all(item is None or hasattr(item, "shape") or holds_tensors(item) for item in value)


def check_keys(given: Mapping[Any, Any], known: Sequence[str], what: str) -> None:
    """Fail unless every key is an output's.

    Raises:
        ArgumentError: names the others.
    """
    unknown = sorted(str(key) for key in set(given) - set(known))
    if unknown:
        raise ArgumentError(f"compile: expected a {what} for outputs among {list(known)}, received one for {unknown}.")
