"""Sequences of different lengths -> one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError, ShapeError
from distnet.types import Array


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: float | str = 0.0,
) -> Array:
    """Sequences as the rows of one array: shorter ones are padded, longer ones truncated.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]]).tolist()
    [[0, 0, 1], [0, 2, 3], [4, 5, 6]]

    Shapes:
        N sequences of steps of shape (...) -> (N, maxlen, ...)

    Args:
        sequences: lists or arrays, each with its steps along the first axis.
        maxlen: steps of the result; by default those of the longest sequence.
        dtype: of the result; ``object`` for strings of any length.
        padding: ``"pre"`` or ``"post"``: where a shorter sequence is padded.
        truncating: ``"pre"`` or ``"post"``: where a longer sequence is cut.
        value: the padding.

    Raises:
        ArgumentError: an argument is invalid.
        ShapeError: the steps of one sequence differ in shape from those before.

    Source: ``keras.utils.pad_sequences``.
    """
    _check(sequences, maxlen, dtype, padding, truncating, value)
    lengths = [len(sequence) for sequence in sequences]
    steps = max(lengths, default=0) if maxlen is None else maxlen
    step_shape = next((np.asarray(s).shape[1:] for s in sequences if len(s)), ())
    padded = np.full((len(lengths), steps, *step_shape), value, dtype)
    for row, sequence in enumerate(sequences):
        if not lengths[row] or not steps:
            continue
        try:
            kept = np.asarray(sequence[-steps:] if truncating == "pre" else sequence[:steps], dtype)
        except (TypeError, ValueError) as error:
            raise ArgumentError(f"pad_sequences: sequence {row}: expected steps of {dtype}: {error}.") from None
        if kept.shape[1:] != step_shape:
            raise ShapeError(
                f"pad_sequences: sequence {row}: expected steps of shape {step_shape}, received {kept.shape[1:]}."
            )
        if padding == "post":
            padded[row, : len(kept)] = kept
        else:
            padded[row, steps - len(kept) :] = kept
    return padded


def _check(
    sequences: Sequence[Any], maxlen: int | None, dtype: Any, padding: str, truncating: str, value: float | str
) -> None:
    if not hasattr(sequences, "__len__"):
        raise ArgumentError(f"pad_sequences: expected a list of sequences, received {type(sequences).__name__}.")
    for row, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ArgumentError(f"pad_sequences: sequence {row}: expected a list or an array, received {sequence!r}.")
    if maxlen is not None:
        check_integer("pad_sequences: maxlen", maxlen, 0)
    check_option("pad_sequences: padding", padding, ("pre", "post"))
    check_option("pad_sequences: truncating", truncating, ("pre", "post"))
    try:
        np.dtype(dtype)
    except TypeError:
        raise ArgumentError(f"pad_sequences: dtype: expected a NumPy dtype, received {dtype!r}.") from None
    if isinstance(value, str) and np.dtype(dtype).kind not in "OUS":
        raise ArgumentError(
            f"pad_sequences: the value {value!r} is not of dtype {np.dtype(dtype)}. Use dtype=object for strings of "
            "any length."
        )
