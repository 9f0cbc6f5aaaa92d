"""Names of objects that were given none."""

from __future__ import annotations

import re
from collections import Counter

_uses: Counter[str] = Counter()


def snake_case(class_name: str) -> str:
    """A class's name as Keras spells it in logs and layer names.

    >>> snake_case("MaxPooling2D"), snake_case("MeanIoU")
    ('max_pooling2d', 'mean_io_u')

    Source: ``keras.utils.naming.to_snake_case``.
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(class_name: str) -> str:
    """The next automatic name for a layer or model of this class: ``dense``, ``dense_1`` ..., counted per process."""
    name = snake_case(class_name)
    _uses[name] += 1
    return name if _uses[name] == 1 else f"{name}_{_uses[name] - 1}"


def reset() -> None:
    """Count automatic names from the beginning again."""
    _uses.clear()
