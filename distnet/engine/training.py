"""Keras 2's path of ``Model``: any name of ``distnet.engine`` is found."""

from __future__ import annotations

from distnet.absent import names_elsewhere
from distnet.utils.generic_utils import slice_arrays as slice_arrays

slice_X = slice_arrays  # noqa: N816
"""Keras 1's name of ``slice_arrays``."""

__getattr__ = names_elsewhere(__name__, ["engine"])
