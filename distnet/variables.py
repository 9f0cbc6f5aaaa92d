"""A model's variables, and the flat buffers that hold them."""

from __future__ import annotations

import reprlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from distnet.assignments import are_assignments_held, count_assignment, count_move
from distnet.errors import ArgumentError, ShapeError
from distnet.types import Array, ArrayLike, DType

ALIGNMENT_BYTES = 64


class _View(threading.local):
    as_tensor: Callable[[Variable], Any] | None = None


VIEW = _View()
"""What operators see instead of a variable while gradients are followed, in each thread; set by ``distnet.ops``."""


class Penalty(Protocol):
    """A regularizer, as a variable sees it."""

    def value(self, w: Array) -> float: ...

    def gradient(self, w: Array) -> Array: ...


class Projection(Protocol):
    """A constraint, as a variable sees it."""

    def __call__(self, w: Array) -> Array: ...


@dataclass(eq=False)
class Variable(NDArrayOperatorsMixin):
    """One array of weights, or of a metric's sums; it can be used like any array.

    Weights are a view into a ``VariableStore`` once their model is built.

    Args:
        name: name within its layer, for example ``"kernel"``.
        path: its full name, as in Keras 3: with the name of the Sequential model that built its layer, for example
            ``"sequential/dense/kernel"``.
        value: the weights, of any shape.
        trainable: whether it is a weight to train (moving statistics are not).
        frozen: whether its layer's ``trainable`` flag keeps it from being trained.
        regularizer: adds to the loss, and to this variable's gradient.
        constraint: applied to the weights after each update.
        stored_as: its dtype in files, if that differs from the weights'.
        scope: the part of the path that is no layer's name: ``"sequential/"``.
    """

    name: str
    path: str
    value: Array
    trainable: bool = True
    frozen: bool = False
    regularizer: Penalty | None = None
    constraint: Projection | None = None
    stored_as: str | None = None
    scope: str = ""
    grad: Array = field(init=False, repr=False)
    number: int | None = field(default=None, init=False, repr=False)
    """By which all ranks know it, if all of them made it."""
    was_trainable: bool = field(default=True, init=False, repr=False)
    """How it was declared: layers list their weights by that, in Keras too, whatever ``trainable`` is set to later."""
    changes: int = field(default=0, init=False, repr=False)
    """How often it was assigned, or updated with gradients that users' code gave."""
    node: Any = field(default=None, init=False, repr=False)
    """What stands for it among the sources of gradients; set by ``distnet.ops``."""

    def __post_init__(self) -> None:
        self.was_trainable = self.trainable
        self.grad = np.zeros(self.value.shape, self.value.dtype)  # takes memory when it is written, zeros_like at once

    @property
    def local_path(self) -> str:
        """Its name within its model, as in Keras 2: ``"dense/kernel"``."""
        return self.path.removeprefix(self.scope)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def dtype(self) -> DType:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def stored(self) -> Array:
        """The weights as stored in files."""
        return self.value if self.stored_as is None else self.value.astype(self.stored_as)

    @property
    def is_trained(self) -> bool:
        """Whether it has a gradient and the optimizer updates it."""
        return self.trainable and not self.frozen

    @property
    def free_value(self) -> Any:
        """What it holds, where no model's store does; else the variable itself."""
        return self.value if self.value.base is None else self

    __hash__ = object.__hash__  # ``==`` compares the entries, as an array's

    def __array__(self, dtype: DType | None = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype, copy=copy)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Sequence[Any] = (), **options: Any
    ) -> Any:
        if VIEW.as_tensor is not None and not out:
            return getattr(ufunc, method)(
                *(VIEW.as_tensor(value) if isinstance(value, Variable) else value for value in inputs), **options
            )
        plain = [value.value if isinstance(value, Variable) else value for value in inputs]
        result = getattr(ufunc, method)(*plain, **options)
        if not out:
            return result
        out[0].assign(result) if isinstance(out[0], Variable) else np.copyto(out[0], result)
        return out[0]

    def __getitem__(self, key: Any) -> Any:
        return self.value[key] if VIEW.as_tensor is None else VIEW.as_tensor(self)[key]

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value.item())

    def __int__(self) -> int:
        return int(self.value.item())

    def numpy(self) -> Array:
        """A copy of the value."""
        return self.value.copy()

    def assign(self, value: ArrayLike) -> None:
        """Overwrite the value in place.

        Raises:
            ShapeError, ArgumentError: see ``fitting``.
        """
        array = self.fitting(_array_of(value))
        if are_assignments_held():
            return
        self.value[...] = array
        self.changes += 1
        count_assignment(self)

    def assign_add(self, value: ArrayLike) -> None:
        """Add to the value; a value of more entries raises ``ShapeError``."""
        self.assign(self.value + np.asarray(_array_of(value)))

    def assign_sub(self, value: ArrayLike) -> None:
        """Subtract from the value; a value of more entries raises ``ShapeError``."""
        self.assign(self.value - np.asarray(_array_of(value)))

    def fitting(self, value: object) -> Array:
        """``value`` as an array for this variable.

        Raises:
            ShapeError: it has another shape.
            ArgumentError: it is not numeric.
        """
        try:
            array = np.asarray(value)
        except ValueError:
            raise ShapeError(f"{self.path}: expected a value of shape {self.shape}, received uneven rows.") from None
        if array.dtype.kind not in "biuf":
            raise ArgumentError(f"{self.path}: expected a value of shape {self.shape}, received {reprlib.repr(value)}.")
        if array.shape != self.shape:
            raise ShapeError(f"{self.path}: expected a value of shape {self.shape}, received {array.shape}.")
        return array


def _array_of(value: Any) -> Any:
    """A tensor's whole array; anything else as it is."""
    return value.numpy() if hasattr(value, "numpy") else value


def trainable_first(variables: Sequence[Variable]) -> list[Variable]:
    """Those that were declared as weights to train, then the others, each kind in the order given."""
    return sorted(variables, key=lambda variable: not variable.was_trainable)


@dataclass(frozen=True)
class Span:
    """The place of a trainable variable in the flat buffers: entries ``start`` to ``stop``."""

    variable: Variable
    start: int
    stop: int


def zeros_from_a_line(entries: int, dtype: DType) -> Array:
    """Zeros that begin where a line of the cache does, where loops over registers read them fastest.

    ResNet-20's convolutions took 4 to 10 % more time with weights that lay across the lines.
    """
    around = ALIGNMENT_BYTES // dtype.itemsize
    memory = np.zeros(entries + around, dtype)
    first = -memory.ctypes.data % ALIGNMENT_BYTES // dtype.itemsize
    return memory[first : first + entries]


class VariableStore:
    """One contiguous array of a model's trainable weights, one of their gradients, one of its frozen variables.

    The variables' ``value`` and ``grad`` become views into these arrays, each beginning on a cache
    line. The padding between them stays zero.

    Args:
        variables: all variables of the model, in the model's order.
        dtype: of the arrays.
    """

    def __init__(self, variables: Sequence[Variable], dtype: DType) -> None:
        self.variables = list(variables)
        self.dtype = np.dtype(dtype)
        self._are_trained = [v.is_trained for v in self.variables]
        trained = [v for v in self.variables if v.is_trained]
        frozen = [v for v in self.variables if not v.is_trained]
        spans, self.size = self._spans(trained, 0)
        frozen_spans, total = self._spans(frozen, self.size)
        self.spans = spans
        self.frozen = np.zeros(total - self.size, self.dtype)
        """Those without gradients."""
        self.weights = zeros_from_a_line(self.size, self.dtype)
        """(size,) all trainable weights."""
        self.own: slice | None = None
        """The weights that this rank updates, where the ranks of its node share them all."""
        for span in spans:
            self._bind(span.variable, self.weights[span.start : span.stop])
        for span in frozen_spans:
            self._bind(span.variable, self.frozen[span.start - self.size : span.stop - self.size])
        self.move_gradients(zeros_from_a_line(self.size, self.dtype))

    def move_gradients(self, message: Array) -> None:
        """Put the gradients into this zeroed memory from now on; extra length holds other sums."""
        self.message = message
        count_move()
        for span in self.spans:
            span.variable.grad = message[span.start : span.stop].reshape(span.variable.shape)

    def move_weights(self, memory: Array, own: slice | None = None) -> None:
        """From now on the trainable weights are what this memory, (size,), holds.

        Args:
            own: the weights that this rank updates, where the ranks of its node share the memory.
        """
        self.weights, self.own = memory, own
        count_move()
        for span in self.spans:
            span.variable.value = memory[span.start : span.stop].reshape(span.variable.shape)

    @property
    def gradients(self) -> Array:
        """(size,) their gradients."""
        return self.message[: self.size]

    @property
    def extra(self) -> Array:
        """(extra,) the sums sent after the gradient."""
        return self.message[self.size :]

    @property
    def part(self) -> slice:
        """Which of the weights these are: all."""
        return slice(0, self.size)

    @property
    def is_current(self) -> bool:
        """Whether it is still what would be made for its variables.

        Another model may have taken shared ones, or some are to be trained now, and others not.
        """
        are_here = all(np.may_share_memory(span.variable.value, self.weights) for span in self.spans)
        return are_here and self._are_trained == [v.is_trained for v in self.variables]

    def trainable(self) -> Iterator[Span]:
        """The trainable variables and where they lie."""
        return iter(self.spans)

    def _spans(self, variables: Sequence[Variable], start: int) -> tuple[list[Span], int]:
        entries = ALIGNMENT_BYTES // self.dtype.itemsize
        spans = []
        for variable in variables:
            spans.append(Span(variable, start, start + variable.size))
            start += -(-variable.size // entries) * entries
        return spans, start

    @staticmethod
    def _bind(variable: Variable, view: Array) -> None:
        view = view.reshape(variable.shape)
        view[...] = variable.value
        variable.value = view


class FlatVariables(Protocol):
    """Some variables whose weights and gradients lie in flat arrays."""

    dtype: DType
    size: int
    spans: list[Span]

    @property
    def weights(self) -> Array: ...

    @property
    def gradients(self) -> Array: ...

    @property
    def part(self) -> slice: ...

    def trainable(self) -> Iterator[Span]: ...


Variables: TypeAlias = FlatVariables
"""The trained variables of a model, or some of them, in flat arrays."""


class LaidOutModel(Protocol):
    """A model, as ``lay_out`` sees it."""

    dtype: str
    store: VariableStore | None

    @property
    def variables(self) -> list[Variable]: ...

    @property
    def trainable_weights(self) -> list[Variable]: ...


def lay_out(model: LaidOutModel) -> VariableStore:
    """Put the model's variables into flat buffers, those of frozen layers apart from the trained ones."""
    trained = {id(variable) for variable in model.trainable_weights}
    for variable in model.variables:
        variable.frozen = variable.trainable and id(variable) not in trained
    model.store = VariableStore(model.variables, np.dtype(model.dtype))
    return model.store


def laid_out(model: LaidOutModel) -> VariableStore:
    """The flat buffers of the model's variables, made anew if it has others now: layers may be built in any step."""
    store = model.store
    if store is None or {id(v) for v in store.variables} != {id(v) for v in model.variables}:
        return lay_out(model)
    return store


def assign_all(where: str, variables: Sequence[Variable], weights: Sequence[ArrayLike]) -> None:
    """Overwrite ``variables`` with ``weights`` one by one, after checking all of them.

    Raises:
        ShapeError: a wrong number of arrays, or an array of the wrong shape.
        ArgumentError: something is not an array of numbers. In either case nothing is changed.
    """
    if isinstance(weights, str) or not isinstance(weights, Sequence | np.ndarray):
        raise ArgumentError(f"{where}: set_weights expected a list of arrays, received {reprlib.repr(weights)}.")
    if len(weights) != len(variables):
        raise ShapeError(f"{where}: set_weights expected {len(variables)} arrays, received {len(weights)}.")
    arrays = [variable.fitting(array) for variable, array in zip(variables, weights, strict=True)]
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
