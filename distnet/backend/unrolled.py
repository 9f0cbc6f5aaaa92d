"""Keras 2's loops over the entries of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from distnet import ops


def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: str | None = None) -> Any:
    """What ``fn`` gives for each entry of the first axis, along a new first axis."""
    made = ops.stack([fn(entry) for entry in _entries(elems)], axis=0)
    return made if dtype is None else ops.cast(made, dtype)


def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """``fn(fn(initializer, elems[0]), elems[1]) ...``; without an initializer it begins with the first entry."""
    return _folded(fn, _entries(elems), initializer)


def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As ``foldl``, from the last entry to the first."""
    return _folded(fn, _entries(elems)[::-1], initializer)


def _folded(fn: Callable[[Any, Any], Any], entries: list[Any], initializer: Any) -> Any:
    value, rest = (entries[0], entries[1:]) if initializer is None else (initializer, entries)
    for entry in rest:
        value = fn(value, entry)
    return value


def _entries(elems: Any) -> list[Any]:
    if isinstance(elems, list | tuple):
        return list(zip(*map(_entries, elems), strict=True))
    return [ops.get_item(elems, (i,)) for i in range(elems.shape[0])]


def rnn(
    step_function: Callable[[Any, list[Any]], tuple[Any, list[Any]]], inputs: Any, initial_states: Sequence[Any],
    go_backwards: bool = False, mask: Any = None, constants: Sequence[Any] | None = None, unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Any, Any, list[Any]]:  # fmt: skip
    """A step for each time step of the inputs.

    Args:
        step_function: of the inputs (N, ...) at one time and the states, followed by the constants; gives output and
            new states.
        inputs: (N, T, ...).
        go_backwards: whether to begin at the last time step; the outputs are in the order in which they were made.
        mask: (N, T); where it is false, output and states stay as they were.
        unroll, input_length: ignored.

    Returns:
        The last output, all outputs (N, T, ...), and the last states.

    Source: ``keras.backend.rnn`` of Keras 2.3.
    """
    states, outputs = list(initial_states), list[Any]()
    times = range(inputs.shape[1])
    for time in reversed(times) if go_backwards else times:
        x = ops.get_item(inputs, (slice(None), time))
        output, new = step_function(x, [*states, *(constants or ())])
        if mask is not None:
            is_on = ops.cast(ops.get_item(mask, (slice(None), time)), "bool")
            output = _where(is_on, output, outputs[-1] if outputs else ops.zeros_like(output))
            new = [_where(is_on, a, b) for a, b in zip(new, states, strict=True)]
        outputs.append(output)
        states = list(new)
    return outputs[-1], ops.stack(outputs, axis=1), states


def _where(is_on: Any, then: Any, other: Any) -> Any:
    return ops.where(ops.reshape(is_on, (-1, *[1] * (len(then.shape) - 1))), then, other)
