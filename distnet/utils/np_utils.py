"""Keras 2's older path of ``to_categorical`` and ``normalize``."""

from __future__ import annotations

from distnet.utils.numerical import normalize as normalize
from distnet.utils.numerical import to_categorical as to_categorical
