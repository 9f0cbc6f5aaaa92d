"""Calls of functions of ``distnet.ops`` that tests compare: with Keras, with central differences, and over ranks."""

from __future__ import annotations

import dataclasses
import importlib
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from distnet import ops
from distnet.ops.tensor import Tensor
from distnet.types import Array

ROOMS = sorted(path.stem for path in Path(__file__).parent.glob("op_cases_*.py"))
"""The modules that hold cases, each in a list ``CASES``."""


@dataclass(frozen=True)
class OpCase:
    """One call.

    Args:
        name: of the function, in ``keras.ops`` and in ``distnet.ops``.
        args: its arguments by position. Arrays of floating point numbers, also within lists, are differentiated by.
        options: its arguments by name.
        smooth: whether central differences tell the gradient: not at a kink or a tie.
        twice: whether second derivatives are compared with central differences, too.
        in_keras: whether Keras computes the same; False where it cannot, on JAX.
        spread: whether it is computed of rows that are spread over ranks, too.
        tolerance: from Keras, relative and absolute, in float32.
        as_dtype: whether the result has Keras's dtype.
    """

    name: str
    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    twice: bool = False
    in_keras: bool = True
    spread: bool = True
    tolerance: float = 1e-5
    as_dtype: bool = True

    def but(self, **changes: Any) -> OpCase:
        """The case with other fields."""
        return dataclasses.replace(self, **changes)

    @property
    def function(self) -> Callable[..., Any]:
        """The function of ``distnet.ops``."""
        function: Callable[..., Any] = operator.attrgetter(self.name)(ops)
        return function

    @property
    def floats(self) -> list[Array]:
        """The arrays that gradients are taken by."""
        return [leaf for leaf in leaves(self.args) if is_float(leaf)]

    def with_floats(self, floats: list[Any]) -> tuple[Any, ...]:
        """The arguments with others in their places."""
        rest = iter(floats)
        return put(self.args, lambda leaf: next(rest) if is_float(leaf) else leaf)

    def __str__(self) -> str:
        shapes = ",".join(str(np.shape(leaf)).replace(" ", "") for leaf in leaves(self.args) if is_array(leaf))
        rest = [repr(leaf) for leaf in leaves(self.args) if not is_array(leaf)]
        return f"{self.name}-{shapes}" + "".join(f"-{part}" for part in [*rest, *map(str, self.options.items())])


def call(name: str, *args: Any, **options: Any) -> OpCase:
    """The case of this call."""
    return OpCase(name, args, options)


def numbers(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> Array:
    """Random numbers in float32, no two alike."""
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def integers(*shape: int, low: int = -3, high: int = 4, seed: int = 0) -> Array:
    """Random integers in int32."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int32)


def booleans(*shape: int, seed: int = 0) -> Array:
    """Random truth values."""
    return np.random.default_rng(seed).random(shape) < 0.5


def words(*text):
    """The words of texts."""
    return " ".join(text).split()


def every_case() -> list[OpCase]:
    """The cases of all rooms."""
    return [case for room in ROOMS for case in importlib.import_module(room).CASES]


def ids(cases: list[OpCase]) -> list[str]:
    """A name for each case, the same in every process."""
    return [f"{i}-{case}"[:100] for i, case in enumerate(cases)]


def is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def is_float(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def leaves(nest: Any) -> Iterator[Any]:
    """The entries of lists, tuples and dicts within each other."""
    if isinstance(nest, dict):
        nest = list(nest.values())
    if isinstance(nest, list | tuple):
        for item in nest:
            yield from leaves(item)
    else:
        yield nest


def put(nest: Any, function: Callable[[Any], Any]) -> Any:
    """The nest with ``function`` of each entry."""
    if isinstance(nest, dict):
        return {key: put(item, function) for key, item in nest.items()}
    if isinstance(nest, list | tuple):
        made = [put(item, function) for item in nest]
        return type(nest)(*made) if hasattr(nest, "_fields") else type(nest)(made)
    return function(nest)


def weights(y: Any) -> Array:
    """What the entries of a result are multiplied by before they are summed and differentiated."""
    size = int(np.prod(y.shape))
    return np.cos(np.arange(size) + 1.0).reshape(y.shape)


def value_and_gradients(case: OpCase, floats: list[Any]) -> tuple[list[Any], list[Any]]:
    """The results, and the gradients of their weighted sum by the arrays.

    Args:
        floats: the arrays, or tensors of the rows that this rank has of them.
    """
    sources = [x if isinstance(x, Tensor) else ops.convert_to_tensor(x) for x in floats]
    with np.errstate(all="ignore"), ops.GradientTape() as tape:
        tape.watch(sources)
        y = case.function(*case.with_floats(sources), **case.options)
        parts = [part if isinstance(part, Tensor) else np.asarray(part) for part in leaves(y)]
        total = weighted_sum(parts)
    with np.errstate(all="ignore"):
        slopes = tape.gradient(total, sources, unconnected_gradients="zero") if sources else []
    return parts, slopes


def weighted_sum(parts: list[Any]) -> Any:
    """The sum of all entries of results, each times its weight."""
    total: Any = 0.0
    for part in parts:
        if part.dtype.kind in "fc":
            real = ops.real(part) if part.dtype.kind == "c" else part
            total = total + ops.sum(real * weights(real).astype(real.dtype))
    return total
