"""Categories known by their numbers -> vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import check_integer, check_option
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.base import register_layer
from distnet.layers.preprocessing.array_layer import ArrayLayer
from distnet.layers.preprocessing.category_vectors import MODES, vectors, vectors_shape
from distnet.types import Array, DType, Shape


@register_layer()
@dataclass(eq=False)
class CategoryEncoding(ArrayLayer):
    """Vectors that say which of ``num_tokens`` categories occur.

    >>> import distnet
    >>> distnet.layers.CategoryEncoding(num_tokens=3)([[0, 1], [1, 1]]).tolist()
    [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]

    Shapes:
        ``"one_hot"``: (N, 1) or (N,) -> (N, num_tokens), (N, T) -> (N, T, num_tokens); else (N, T) ->
        (N, num_tokens).
        Numbers from num_tokens on are passed over, as in Keras; so are negative ones by ``"one_hot"``, while the other
        modes refuse them, as Keras on TensorFlow does.

    Args:
        num_tokens: number of categories.
        output_mode: ``"multi_hot"``, ``"one_hot"`` or ``"count"``.
        sparse: Keras's on TensorFlow; here arrays are dense.

    The layer may be called with ``count_weights``, what each number counts, of the inputs' shape.

    Source: ``keras.layers.CategoryEncoding``.
    """

    call_arguments: ClassVar[tuple[str, ...]] = ("inputs", "count_weights")

    num_tokens: int | None = None
    output_mode: str = "multi_hot"
    sparse: bool = False

    def validate(self) -> None:
        self.output_mode = "multi_hot" if self.output_mode == "binary" else self.output_mode
        check_option(f"{self.name}: output_mode", self.output_mode, MODES)
        if self.num_tokens is None:
            raise ArgumentError(
                f"{self.name}: expected num_tokens, the number of categories, received None. Where it is not known, "
                "use IntegerLookup."
            )
        self.num_tokens = check_integer(f"{self.name}: num_tokens", self.num_tokens, 1)
        if self.sparse:
            raise ArgumentError(f"{self.name}: sparse=True: expected False, for distnet's arrays are dense.")

    def bind(self, inputs: Any, *args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        weights = args[0] if args else kwargs.pop("count_weights", None)
        tensors, options = super().bind(inputs, *args[1:], **kwargs)
        if weights is not None and self.output_mode != "count":
            raise ArgumentError(f"{self.name}: count_weights needs output_mode='count', received {self.output_mode!r}.")
        return tensors if weights is None else [*tensors, weights], options

    def compute_output_shape(self, shape: Shape | Sequence[Shape]) -> Shape:
        own: Any = shape[0] if isinstance(shape, list) else shape
        return vectors_shape(tuple(own), self.output_mode, self.num_tokens)

    def encoded(self, arrays: list[Array], dtype: DType | None) -> Array:
        indices = arrays[0] if arrays[0].dtype.kind in "iu" else arrays[0].astype(np.int64)
        weights = arrays[1] if len(arrays) > 1 else None
        if self.output_mode != "one_hot" and indices.size and indices.min() < 0:
            raise ArgumentError(
                f"{self.name}: expected numbers of categories, 0 and above, received {int(indices.min())}. Mark "
                "what is missing by a category of its own."
            )
        if weights is not None and weights.shape != indices.shape:
            raise ShapeError(
                f"{self.name}: count_weights: expected the shape {indices.shape}, received {weights.shape}."
            )
        return vectors(indices, self.output_mode, int(self.num_tokens or 0), np.dtype(self.dtype), weights)
