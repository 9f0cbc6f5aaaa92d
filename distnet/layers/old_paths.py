"""Keras 2's paths of layers, such as ``keras.layers.core``: any layer is found by any of them.

Keras moved layers between these modules from version to version; scripts import, for example, ``MaxPooling2D`` from
``keras.layers.convolutional``.
"""

from __future__ import annotations

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """What a module that imports this function gives for the names it does not hold: those of ``distnet.layers``."""
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("distnet.layers"), name)
