"""What the number of a Keras tells."""

from __future__ import annotations

import re


def is_standalone(keras_version: str) -> bool:
    """Whether this is Keras before it was TensorFlow's, whose own say ``-tf`` up to 2.3."""
    return re.match(r"([01]|2\.[0-3])\.", keras_version) is not None and "-tf" not in keras_version


def numbers(keras_version: str) -> tuple[int, ...]:
    """The numbers of a version, to be compared.

    >>> numbers("2.2.4-tf") < (2, 3)
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", keras_version)[:3])
