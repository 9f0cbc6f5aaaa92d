"""Functions of tensors whose rows are spread over the ranks.

User code sees the global batch. A rank holds its rows of it, and computes with these alone where a function treats each
row by itself; sums over the rows are taken over all ranks; for anything else the rows are gathered, and every rank
computes the whole.

Source: the pairs of functions that are each other's gradients are those of ``jax.shard_map``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from distnet.comm.scope import communicator
from distnet.ops.fitting import summed_to
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import (
    Primitive,
    Spread,
    flat,
    local,
    mapped,
    of_rows,
    primitive,
    take_spread_rows,
)
from distnet.ops.recording import is_recording, note_held
from distnet.ops.tensor import Rows, TapeNode, Tensor, hand_on_reads, whole_value
from distnet.types import Array


def applied(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """The function of operands of which some are spread over the ranks.

    What is an array of integers among the options, such as axes or a shape, is a tuple for the rules.
    """
    options = {key: _as_tuple(value) for key, value in options.items()}
    made = None if function.spread is None else function.spread(function, operands, options)
    return function(*mapped(gathered, operands), **options) if made is None else made


def _as_tuple(option: Any) -> Any:
    is_integers = type(option) is np.ndarray and option.ndim == 1 and option.dtype.kind in "iu"
    return tuple(option.tolist()) if is_integers else option


take_spread_rows(applied)


def by_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any], rows: Rows) -> Any:
    """The function of each rank's rows: those of its result."""
    return of_rows(in_parts(function, operands, options), rows)


def in_parts(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """What the function gives for this rank's rows, whatever that is a part of."""
    return function.recorded(mapped(_part, operands), options)


def rows_of(operands: Sequence[Any]) -> Rows:
    """The rows that the spread operands have; the first one's, should they differ."""
    return next(leaf.rows for leaf in flat(operands) if type(leaf) is Tensor and leaf.rows is not None)


def is_spread(tensor: Any) -> bool:
    """Whether this rank has only some rows of the tensor."""
    return type(tensor) is Tensor and tensor.rows is not None


def gathered(tensor: Any) -> Any:
    """A tensor with the rows of all ranks."""
    if not is_spread(tensor):
        return tensor
    return _linked(local(tensor), whole_value(tensor), lambda dy: own_rows(dy, tensor.rows))


def own_rows(whole: Any, rows: Rows) -> Any:
    """This rank's rows of what every rank has, as a tensor of its own or an array."""
    part = slice(rows.first, rows.first + rows.count)
    if type(whole) is not Tensor or whole.node is None:
        note_held("an array", np.asarray(_value(whole)))
    if type(whole) is not Tensor:
        return np.asarray(whole)[part]
    return _linked(whole, whole.value[part], lambda dy: gathered_rows(dy, rows))


def gathered_rows(part: Any, rows: Rows) -> Any:
    """The rows of all ranks, of parts that are tensors or arrays."""
    if type(part) is not Tensor:
        return communicator().allgather_rows(np.ascontiguousarray(part))
    return gathered(of_rows(part, rows))


def summed(part: Any) -> Any:
    """The sum of the ranks' parts, which are tensors or arrays."""
    total = np.array(part.value if type(part) is Tensor else part)
    communicator().allreduce(total)
    return total if type(part) is not Tensor else _linked(part, total, varied)


def varied(shared: Any) -> Any:
    """What every rank has, about to be used with different rows: its gradients add up over the ranks."""
    if type(shared) is not Tensor:
        return shared
    return _linked(shared, shared.value, summed, sums_ranks=True)


def _linked(parent: Tensor, value: Array, pull: Any, sums_ranks: bool = False) -> Tensor:
    if parent.node is None or not is_recording():
        return Tensor(value)
    made = Tensor(value, TapeNode((parent,), lambda node, dys, is_followed: [pull(dys[0])], sums_ranks))
    hand_on_reads((parent,), (made,))
    return made


def _part(operand: Any) -> Any:
    """A spread tensor's rows here; of what every rank has, something whose gradients add up."""
    return local(operand) if is_spread(operand) else varied(operand)


def rowwise(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each row of the result depends on the same row of the spread operands, whatever the options."""
    return by_rows(function, operands, options, rows_of(operands))


def elementwise(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Operands are broadcast: their first axes must lie on each other."""
    rows = rows_of(operands)
    ndim = max(np.ndim(_value(o)) for o in operands)
    parts: list[Any] = []
    for operand in operands:
        value = _value(operand)
        if is_spread(operand):
            if np.ndim(value) != ndim or operand.rows.total != rows.total:
                return None
            parts.append(operand)
        elif np.ndim(value) == ndim and np.shape(value)[0] == rows.total != 1:
            whole = operand if type(operand) is Tensor else np.asarray(value)
            part = own_rows(whole, rows)
            parts.append(of_rows(part if type(part) is Tensor else Tensor(part), rows))
        elif np.ndim(value) == ndim and np.shape(value)[0] != 1:
            return None
        else:
            parts.append(operand)
    return by_rows(function, parts, options, rows)


def along(axis_name: str = "axis") -> Spread:
    """Each row by itself, unless the option says the first axis, or all axes."""

    def spread(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
        x = operands[0]
        if not is_spread(x) or _has_first(options.get(axis_name), x.ndim):
            return None
        return rowwise(function, operands, options)

    return spread


def adding(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A sum over some axes; over the first it is that of the ranks' sums."""
    (x,), axis = operands, options.get("axis")
    if not _has_first(axis, x.ndim):
        return rowwise(function, operands, options)
    return summed(in_parts(function, operands, options))


def averaging(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """A mean over some axes; over the first it is the sum over ranks, divided by the number of all rows."""
    (x,), axis = operands, options.get("axis")
    if not _has_first(axis, x.ndim):
        return rowwise(function, operands, options)
    total = summed(in_parts(PRIMITIVES["Sum"], operands, options))  # type: ignore[arg-type]
    axes = (
        range(x.ndim) if axis is None else [a % x.ndim for a in (axis if isinstance(axis, list | tuple) else (axis,))]
    )
    return total / float(np.prod([x.shape[a] for a in axes]))


def _has_first(axis: Any, ndim: int) -> bool:
    if axis is None:
        return True
    return any(a % max(ndim, 1) == 0 for a in (axis if isinstance(axis, list | tuple) else (axis,)))


def _value(operand: Any) -> Any:
    return operand.value if type(operand) is Tensor else operand


@primitive(kind="SumTo")
def sum_to(x: Array, shape: tuple[int, ...]) -> Array:
    """The sum over the axes that were broadcast from ``shape``."""
    return summed_to(x, shape)


sum_to.has_gradients(lambda dy, y, x, shape: PRIMITIVES["BroadcastTo"](dy, x.shape))
