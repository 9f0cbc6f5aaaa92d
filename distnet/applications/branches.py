"""Inception's blocks: branches side by side, each written as a line of text.

``"48@1x1 64@5x5"`` is a convolution of 1x1 with 48 filters, then one of 5x5 with 64, each with normalization and relu.
``/2`` behind it means strides of 2 without padding, ``v`` no padding. ``max`` and ``avg`` pool windows of 3x3, ``max``
with strides of 2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from distnet import layers
from distnet.applications.parts import NUMBERED, Parts, joined, relu
from distnet.layers.engine.base import KerasTensor

PARTS = Parts(scales=False)
_UNIT = re.compile(r"(\d+)@(\d+)x(\d+)(/2|v)?")


def branch(x: KerasTensor, units: str) -> KerasTensor:
    """What a line of units makes of ``x``."""
    for word in units.split():
        if word == "max":
            x = layers.MaxPooling2D(3, strides=2)(x)
        elif word == "avg":
            x = layers.AveragePooling2D(3, strides=1, padding="same")(x)
        else:
            x = _unit(x, word)
    return x


def side_by_side(x: KerasTensor, lines: Sequence[str], name: str = NUMBERED) -> KerasTensor:
    """The branches' channels, joined."""
    return joined([branch(x, line) for line in lines], name)


def _unit(x: KerasTensor, word: str) -> KerasTensor:
    parsed = _UNIT.fullmatch(word)
    if parsed is None:
        raise ValueError(f"no unit: {word!r}")
    filters, rows, columns = (int(number) for number in parsed.groups()[:3])
    how = parsed.group(4)
    x = PARTS.convolved(
        x, filters, (rows, columns), strides=2 if how == "/2" else 1, padding="valid" if how else "same"
    )
    return relu(PARTS.normalized(x))
