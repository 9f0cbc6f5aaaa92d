"""An array that is followed: it knows how it was made, and which of its rows this rank holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NoReturn, TypeAlias

import numpy as np

from distnet.comm.scope import communicator
from distnet.errors import ArgumentError
from distnet.ops.numpy_calls import op_for
from distnet.ops.operators import PRIMITIVES, Operators
from distnet.ops.recording import is_followed_by_tapes_alone, is_following, is_in_call
from distnet.types import Array, DType
from distnet.variables import Variable

Pull: TypeAlias = Callable[["TapeNode", list[Any], bool], Sequence[Any]]
"""``(node, gradients of its outputs, whether they are followed) -> gradients of the parents``; None for none."""

Computed: TypeAlias = tuple[Sequence[Any], list[Any], Mapping[str, Any], Array]
"""What a function of tensors was called on, as it was and as arrays; its options, and what it made."""

_NOTHING: Computed = ((), [], {}, np.empty(0))
_numbers = count()


def next_number() -> int:
    """A new number, as nodes have them."""
    return next(_numbers)


_OF_OPERATORS = {
    "add": "Add", "subtract": "Subtract", "multiply": "Multiply", "true_divide": "TrueDivide", "divide": "TrueDivide",
    "floor_divide": "FloorDivide", "remainder": "Mod", "power": "Power", "matmul": "Matmul", "less": "Less",
    "less_equal": "LessEqual", "greater": "Greater", "greater_equal": "GreaterEqual", "equal": "Equal",
    "not_equal": "NotEqual", "negative": "Negative", "absolute": "Absolute", "bitwise_and": "LogicalAnd",
    "bitwise_or": "LogicalOr", "bitwise_xor": "LogicalXor",
}  # fmt: skip
"""What ``array + tensor`` calls, by the names of NumPy's functions."""


@dataclass(frozen=True)
class Rows:
    """This rank's rows of an array whose first axis is the batch.

    Args:
        total: rows over all ranks.
        first: number of the first row here.
        count: rows here.
    """

    total: int
    first: int
    count: int


class TapeNode:
    """One call of a function of tensors; without parents it is a source of gradients: a weight, a watched tensor.

    Args:
        parents: the tensors it was computed from; None for those without gradients.
        pull: gives their gradients.
        sums_ranks: whether it hands a value that all ranks share to each of them, so that gradients add up over ranks.
        function: what was called, where it is a function of so many tensors, without lists, that makes one.
        computed: its call.
        number: later nodes have greater ones; by default the next.

    ``needed`` says of each parent whether its gradient is wanted; it is known when gradients are taken.
    """

    __slots__ = ("__weakref__", "computed", "function", "memory", "needed", "number", "parents", "pull", "sums_ranks")

    def __init__(
        self, parents: Sequence[Tensor | None] = (), pull: Pull | None = None, sums_ranks: bool = False,
        function: Any = None, computed: Computed = _NOTHING, number: int | None = None,
    ) -> None:  # fmt: skip
        self.number = next(_numbers) if number is None else number
        self.function, self.computed = function, computed
        self.parents = parents
        self.pull = pull
        self.needed: Sequence[bool] = ()
        self.sums_ranks = sums_ranks
        self.memory: Array | None = None
        """Of a weight's gradient, where a function may write its part of it: the first one only."""


class Tensor(Operators):
    """An array within functions that users write: layers' ``call``, losses, training steps.

    On several ranks user code sees the global batch: ``shape`` is that of all rows, though a rank holds only its own.

    Args:
        value: the array, or this rank's rows of it.
        node: how it was made, and where it is among what that made; None for a constant.
        index: which output of the node it is.
        rows: which rows these are; None where every rank holds the same whole array.

    ``read`` is the variable whose memory it shares, with the number of its changes then; None for most tensors.
    """

    __slots__ = ("__weakref__", "_keras_mask", "index", "node", "read", "rows", "value")

    def __init__(self, value: Array, node: TapeNode | None = None, index: int = 0, rows: Rows | None = None) -> None:
        self.value = value
        self.node = node
        self.index = index
        self.rows = rows
        self.read: tuple[Variable, int] | None = None
        self._keras_mask: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole array, with the rows of all ranks."""
        return self.value.shape if self.rows is None else (self.rows.total, *self.value.shape[1:])

    @property
    def dtype(self) -> DType:
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.value.ndim

    @property
    def size(self) -> int:
        """Number of entries, over all ranks."""
        return int(np.prod(self.shape))

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return PRIMITIVES["Transpose"](self)

    def get_shape(self) -> tuple[int, ...]:
        """The shape, as TensorFlow's tensors give it."""
        return self.shape

    def numpy(self) -> Array:
        """A copy of the whole array; gradients do not flow through it. On several ranks all must call it."""
        return np.array(whole_value(self))[()]

    def item(self) -> Any:
        """The only entry, as a number of Python's."""
        return self.numpy().item()

    def __float__(self) -> float:
        self._refuse_entry()
        return float(self.item())

    def __int__(self) -> int:
        self._refuse_entry()
        return int(self.item())

    def _refuse_entry(self) -> None:
        if is_in_call():
            raise ArgumentError(
                "a tensor is no number of Python's here: its entries differ from batch to batch, and gradients do not "
                "flow through numbers. Leave out float() and int(); take extents from tensor.shape."
            )

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise TypeError(f"{self!r} is no integer")
        return int(self.item())

    def __bool__(self) -> bool:
        if is_in_call():
            raise ArgumentError(
                "a tensor is neither true nor false here: its entries differ from batch to batch. Use ops.where or "
                "ops.cond instead of if."
            )
        return bool(self.item())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a tensor without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> Any:
        return PRIMITIVES["Equal"](self, other)

    __hash__ = object.__hash__

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise ArgumentError(
            "a tensor cannot be changed in place, for gradients would go wrong. Use ops.where, ops.slice_update or "
            "ops.scatter_update, which make a new one."
        )

    def __array__(self, dtype: DType | None = None, copy: bool | None = None) -> Array:
        if is_following() and not is_followed_by_tapes_alone():
            _refuse_numpy("a function of NumPy's")
        return np.asarray(self.numpy(), dtype)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        kind = _OF_OPERATORS.get(ufunc.__name__)
        if kind is not None and method == "__call__" and not options:
            return PRIMITIVES[kind](*inputs)
        if is_following():
            return _own_function(ufunc, inputs, options if method == "__call__" else {"method": method})
        plain = [value.numpy() if isinstance(value, Tensor) else value for value in inputs]
        return getattr(ufunc, method)(*plain, **options)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.ndim, np.shape, np.size) and len(args) == 1:
            return getattr(args[0], function.__name__)
        if is_following():
            return _own_function(function, args, kwargs)
        return function(*_plain(args), **_plain(kwargs))

    def __repr__(self) -> str:
        return f"<Tensor shape={self.shape} dtype={self.dtype}>"


def whole_value(tensor: Tensor) -> Array:
    """The rows of all ranks."""
    return tensor.value if tensor.rows is None else communicator().allgather_rows(np.ascontiguousarray(tensor.value))


def _own_function(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """What a function of NumPy's makes of tensors within a tape: what distnet's of the same name does.

    Raises:
        ArgumentError: there is none, or the code is a layer's or a loss.
    """
    own = op_for(function, args, kwargs) if is_followed_by_tapes_alone() else None
    if own is None:
        _refuse_numpy(f"numpy.{function.__name__}")
    return own(*args, **kwargs)


def _refuse_numpy(name: str) -> NoReturn:
    own = name.removeprefix("numpy.")
    remedy = f"Use ops.{own}" if own in _names() else "Use the functions of distnet.ops"
    raise ArgumentError(
        f"{name} was called on a tensor that gradients flow through, and would stop them. {remedy}; or "
        "tensor.numpy(), if no gradient is wanted."
    )


def _names() -> frozenset[str]:
    return frozenset(getattr(primitive, "__name__", "") for primitive in PRIMITIVES.values())


def _plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, list | tuple):
        return type(value)(_plain(item) for item in value)
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def hand_on_reads(parents: Sequence[Tensor | None], results: Sequence[Tensor]) -> None:
    """Note on results that share a variable's memory with a parent, as its transpose does, that they read it."""
    for parent in parents:
        if parent is not None and parent.read is not None:
            for result in results:
                is_new = result.value.base is None and result.value is not parent.value
                if not is_new and np.may_share_memory(result.value, parent.value):
                    result.read = parent.read
