"""The layers from one to another, as ``summary`` and ``plot_model`` take them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from distnet.errors import ArgumentError


def numbers(model: str, names: Sequence[str], layer_range: Sequence[str] | None) -> range:
    """The places, among ``names``, from the first layer of the range to the last; all without a range.

    Args:
        model: its name, for messages.
        names: of its layers.
        layer_range: first and last: names, or regular expressions of names.

    Raises:
        ArgumentError: the range is no pair, or names no layers in this order.
    """
    if layer_range is None:
        return range(len(names))
    is_pair = isinstance(layer_range, list | tuple) and len(layer_range) == 2
    if not is_pair or not all(isinstance(name, str) for name in layer_range):
        raise ArgumentError(f"{model}: expected layer_range=[first, last], received {layer_range!r}.")
    first, last = ([i for i, name in enumerate(names) if re.fullmatch(wanted, name)] for wanted in layer_range)
    if not first or not last or first[0] > last[-1]:
        raise ArgumentError(
            f"{model}: layer_range={list(layer_range)} does not go from one of its layers to a later one: "
            f"{list(names)}."
        )
    return range(first[0], last[-1] + 1)
