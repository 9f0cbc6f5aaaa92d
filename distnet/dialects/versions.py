"""What a version number of Keras tells."""

from __future__ import annotations

import re

KERAS_VERSION = "2.12.0+distnet"
"""The Keras whose dialect is written; the one that Keras 2 and Keras 3 both read."""

KERAS_2_VERSION = f"{KERAS_VERSION}.keras2"
"""The same where also what is meant is what Keras 2 means."""


FIRST_VERSION = "1.0"
"""Of Kerases that did not yet write which they were."""


def is_standalone(keras_version: str) -> bool:
    """Whether this is Keras before it was TensorFlow's, whose own say ``-tf`` up to 2.3."""
    return re.match(r"([01]|2\.[0-3])\.", keras_version) is not None and "-tf" not in keras_version


def numbers(keras_version: str) -> tuple[int, ...]:
    """The numbers of a version, to be compared.

    >>> numbers("2.2.4-tf") < (2, 3)
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", keras_version)[:3])


def is_keras_2(keras_version: object) -> bool:
    """Whether Keras 1 or 2 itself wrote this version, or distnet for it, not in its form alone."""
    text = text_of(keras_version)
    return re.match(r"[012]\.", text) is not None and ("distnet" not in text or text == KERAS_2_VERSION)


def is_keras_1(keras_version: object) -> bool:
    """Whether Keras 1, or one before it, wrote this version."""
    return re.match(r"[01]\.", text_of(keras_version)) is not None


def text_of(keras_version: object) -> str:
    """A version as a file says it; empty where it says none."""
    return keras_version.decode() if isinstance(keras_version, bytes) else str(keras_version or "")
