"""The types that every room shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""A NumPy array of any dtype and shape."""

ArrayLike: TypeAlias = npt.ArrayLike
"""Whatever ``numpy.asarray`` takes."""

Shape: TypeAlias = tuple[int | None, ...]
"""Extents; ``None`` where the extent is known only at run time (the batch axis first)."""

Json: TypeAlias = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What ``json.dumps`` writes and ``json.loads`` returns."""

STRING = "string"
"""The dtype of placeholders that stand for strings."""

DType: TypeAlias = np.dtype[Any]
