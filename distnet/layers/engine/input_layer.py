"""The entry of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

from distnet.arguments import whole_number
from distnet.errors import ArgumentError
from distnet.layers.engine.base import Call, KerasTensor, Layer, register_layer
from distnet.layers.engine.context import BackwardContext, ForwardContext
from distnet.layers.engine.declared import as_shape
from distnet.registry import LEFT_OUT
from distnet.types import Array, Json, Shape


@register_layer()
@dataclass(eq=False)
class InputLayer(Layer):
    """Says what shape a model's rows have; passes them on.

    Shapes:
        (N, *shape) -> the same.

    Args:
        shape: of one row; None extents are known only at run time.
        batch_size: fixed extent of the batch axis; None, the default, leaves it open.
        batch_shape: shape with the batch axis, in the place of both.

    Source: ``keras.layers.InputLayer``.
    """

    dtypes: ClassVar[tuple[str, ...]] = (
        *("float16", "float32", "float64", "bool"),
        *("string", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    )

    repeats: ClassVar[bool] = True

    shape: Shape | None = field(default=None, metadata=LEFT_OUT)
    batch_size: int | None = whole_number(None, 1, LEFT_OUT)
    sparse: bool = False
    ragged: bool = False
    batch_shape: Shape | None = field(default=None, metadata=LEFT_OUT)

    def validate(self) -> None:
        if self.sparse or self.ragged:
            raise ArgumentError(f"{self.name}: sparse and ragged inputs are not supported; pass dense arrays.")
        if self.shape is not None and self.batch_shape is not None:
            raise ArgumentError(f"{self.name}: expected shape or batch_shape, received both.")
        if self.batch_input_shape is None:
            if self.shape is None and self.batch_shape is None:
                raise ArgumentError(f"{self.name}: expected shape=..., the shape of one row without the batch axis.")
            row = None if self.shape is None else as_shape(self.shape, self.name)
            self.batch_input_shape = as_shape(self.batch_shape, self.name) if row is None else (self.batch_size, *row)
        call = Call(self, 0, (), {}, (), {})
        call.outputs = (KerasTensor(self.batch_input_shape, self.dtype, call),)
        self.calls.append(call)

    def get_config(self) -> dict[str, Json]:
        """Exactly the keys that Keras 2 and Keras 3 both read."""
        return {
            "batch_input_shape": list(self.batch_input_shape or ()),
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
        }

    def forward(self, x: Array, ctx: ForwardContext) -> tuple[Array, None]:
        return x, None

    def backward(self, dy: Array, saved: None, ctx: BackwardContext) -> Array:
        return dy


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    ragged: bool = False,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> KerasTensor:
    """A placeholder for a model's input: says the shape of one row.

    Layers are called on it, for ``Model(inputs, outputs)``, or put first into a ``Sequential``.

    Source: ``keras.Input``.
    """
    layer = InputLayer(
        shape=cast("Shape | None", shape),
        batch_size=batch_size,
        batch_shape=cast("Shape | None", batch_shape),
        dtype=cast(str, dtype),
        sparse=sparse,
        ragged=ragged,
        name=cast(str, name),
    )
    return cast(KerasTensor, layer.output)
