"""What a layer says of its inputs: ``self.input_spec = InputSpec(min_ndim=2, axes={-1: 8})``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.structures import leaves
from distnet.types import STRING


@dataclass
class InputSpec:
    """What one input of a layer must be like; it is checked when the layer is called.

    Args:
        dtype: its dtype.
        shape: with the batch axis; None where any extent will do.
        ndim: number of axes.
        max_ndim, min_ndim: the largest and the smallest number of axes.
        axes: extents of some axes; an extent of None allows any.
        allow_last_axis_squeeze: whether a last axis of 1 may be there or not.
        name: the key of this input in a dict.
        optional: whether it may be None.

    Raises:
        ArgumentError: ``axes`` has a key that is no axis.

    Source: ``keras.InputSpec``.
    """

    dtype: Any = None
    shape: Any = None
    ndim: int | None = None
    max_ndim: int | None = None
    min_ndim: int | None = None
    axes: Any = None
    allow_last_axis_squeeze: bool = field(default=False, repr=False)
    name: str | None = field(default=None, repr=False)
    optional: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        self.dtype = None if self.dtype is None else np.dtype(self.dtype).name
        if self.shape is not None:
            self.shape = tuple(self.shape)
            self.ndim = len(self.shape)
        try:
            self.axes = {int(axis): extent for axis, extent in (self.axes or {}).items()}
        except (AttributeError, TypeError, ValueError):
            raise ArgumentError(
                f"InputSpec: axes: expected a dict from integers to extents, received {self.axes!r}."
            ) from None
        most = self.ndim or self.max_ndim
        if self.axes and most is not None and max(self.axes) >= most:
            raise ArgumentError(f"InputSpec: axes: expected axes below {most}, received {self.axes}.")

    def get_config(self) -> dict[str, Any]:
        """The arguments, as Keras lists them."""
        return {key: value for key, value in asdict(self).items() if key not in ("allow_last_axis_squeeze", "name")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make it from what ``get_config`` gave."""
        return cls(**config)

    def unmet(self, shape: tuple[int | None, ...], dtype: str) -> str | None:
        """What is expected, where an input of this shape and dtype is not like that; else None."""
        ndim = len(shape)
        if self.ndim is not None and not self.allow_last_axis_squeeze and ndim != self.ndim:
            return f"ndim={self.ndim}"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"max_ndim={self.max_ndim}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"min_ndim={self.min_ndim}"
        if self.dtype is not None and dtype != self.dtype:
            return f"dtype={self.dtype}"
        for axis, extent in self.axes.items():
            if not -ndim <= axis < ndim or (extent is not None and shape[axis] not in (extent, None)):
                return f"axis {axis} of extent {extent}"
        expected, received = (
            without_last_one(s) if self.allow_last_axis_squeeze else s for s in (self.shape or (), shape)
        )
        pairs = zip(expected, received, strict=False)
        return None if all(None in pair or pair[0] == pair[1] for pair in pairs) else f"shape={self.shape}"


def without_last_one(shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape without its last axis, if that is of 1."""
    return shape[:-1] if shape[-1:] == (1,) else shape


def check_inputs(layer: Any, inputs: Any) -> None:
    """Fail unless the first argument of a call is as the layer's ``input_spec`` says.

    Raises:
        ShapeError: names the layer and the input.

    Source: ``keras.src.layers.input_spec.assert_input_compatibility``.
    """
    if layer.input_spec is None:
        return
    specs = list(leaves(layer.input_spec))
    tensors = _in_order(layer.name, specs, inputs)
    if len(tensors) != len(specs):
        raise ShapeError(f"{layer.name}: its input_spec expects {len(specs)} inputs, received {len(tensors)}.")
    for number, (spec, tensor) in enumerate(zip(specs, tensors, strict=True)):
        if spec is None or (tensor is None and spec.optional):
            continue
        if not hasattr(tensor, "shape"):
            raise ArgumentError(f"{layer.name}: input {number}: expected a tensor, received {tensor!r:.100}.")
        shape, dtype = tuple(tensor.shape), np.dtype(object if tensor.dtype == STRING else tensor.dtype)
        name = layer.dtype if dtype.kind == "f" and layer.autocast else dtype.name
        expected = spec.unmet(shape, name)
        if expected is not None:
            raise ShapeError(
                f"{layer.name}: input {number}: its input_spec expects {expected}, received shape {shape} of {name}."
            )


def _in_order(layer: str, specs: Sequence[Any], inputs: Any) -> list[Any]:
    """The tensors, those of a dict by the names in the specs."""
    names = [getattr(spec, "name", None) for spec in specs]
    if not isinstance(inputs, Mapping) or not all(names):
        return list(leaves(inputs))
    missing = [name for name in names if name not in inputs]
    if missing:
        raise ShapeError(f"{layer}: its input_spec expects inputs named {names}, received {list(inputs)}.")
    return [inputs[name] for name in names]
