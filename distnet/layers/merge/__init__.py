"""Layers that merge several inputs into one; called, the room is Keras 1's function ``merge``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from distnet.absent import names_elsewhere
from distnet.layers.engine.base import KerasTensor
from distnet.layers.merge.of_keras_1 import Merge as Merge


class _Merging(ModuleType):
    """A module that can be called: ``keras.layers.merge`` was first a function and later a module."""

    def __call__(self, inputs: Sequence[KerasTensor], mode: object = "sum", *args: Any, **kwargs: Any) -> KerasTensor:
        """The placeholders merged: ``Merge`` called on them.

        Source: ``keras.layers.merge`` of Keras 1.
        """
        merged: KerasTensor = Merge(None, mode, *args, **kwargs)(list(inputs))
        return merged


sys.modules[__name__].__class__ = _Merging

__getattr__ = names_elsewhere(__name__, ["layers"])
