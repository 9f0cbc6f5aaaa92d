"""Keras's automatic names: ``dense``, ``dense_1`` ..., counted per process."""

from __future__ import annotations

import re
from collections import Counter

_uses: Counter[str] = Counter()


def snake_case(class_name: str) -> str:
    """``Conv2D`` -> ``conv2d``, ``MaxPooling2D`` -> ``max_pooling2d``, ``ReLU`` -> ``re_lu``.

    Source: ``keras.utils.naming.to_snake_case``.
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(class_name: str) -> str:
    """The next automatic name for an object of this class."""
    name = snake_case(class_name)
    _uses[name] += 1
    return name if _uses[name] == 1 else f"{name}_{_uses[name] - 1}"


def reset() -> None:
    """Count from the beginning again."""
    _uses.clear()
