"""Keras's path of ``count_params`` and ``print_summary``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from distnet.absent import names_elsewhere
from distnet.layers.engine.source_inputs import source_inputs
from distnet.models import Model

get_source_inputs = source_inputs

__getattr__ = names_elsewhere(
    __name__,
    absent={
        "convert_all_kernels_in_model": "it turned Theano's kernels, which load_model does for files that say so.",
        "convert_dense_weights_data_format": "load the model with load_model, which reorders them.",
    },
)


def count_params(weights: Iterable[Any]) -> int:
    """Number of entries of these weights, each weight counted once.

    Source: ``keras.utils.layer_utils.count_params``.
    """
    return sum(variable.size for variable in {id(weight): weight for weight in weights}.values())


def print_summary(
    model: Model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], object] | None = None,
) -> None:
    """``model.summary()``.

    Source: ``keras.utils.print_summary`` of Keras 2.
    """
    model.summary(line_length, positions, print_fn)
