"""What convolutions of all kinds share: their arguments, their bias, and what surrounds the products."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from distnet.arguments import COUNT
from distnet.kernels.windows import Windows, as_volumes, of_rank
from distnet.layers.activation import bias_activation
from distnet.layers.activation.activated import Activated
from distnet.layers.activation.bias_activation import Kept
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import BackwardContext, BuildContext, ForwardContext
from distnet.layers.engine.sliding import Extents, checked_sliding, input_channels
from distnet.types import Array, Json, Shape
from distnet.variables import Variable

Saved = tuple[Array, Kept, Any]
"""The input, what the activation keeps, None if it is left to another layer, and what the products keep."""


class Filtered(Activated, Channelled):
    """A layer of filters that slide over its input; a subclass has the fields."""

    rank: ClassVar[int]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same")
    filters: int
    kernel_size: Extents
    strides: Extents
    padding: str
    dilation_rate: Extents = 1
    use_bias: bool

    def validate(self) -> None:
        super().validate()
        self.sliding = checked_sliding(self, self.paddings)

    def shape_last(self, shape: Shape) -> Shape:
        return (shape[0], *self.sliding.output_extents(shape), self.filters)


class Convolving(Filtered):
    """A layer of the same kernels at each place: ``y = f(z + b)``, where a subclass says what z is.

    It has the methods ``build_kernels``, ``convolve`` and ``convolve_back``.
    """

    repeats: ClassVar[bool] = True
    leaves_activations: ClassVar[bool] = True
    of_others: ClassVar[tuple[str, ...]] = ()
    """What Keras 2 writes into its configurations although the layer has no such argument."""

    @abstractmethod
    def build_kernels(self, channels: int, ctx: BuildContext) -> None:
        """Make the kernels for inputs of so many channels."""

    @abstractmethod
    def convolve(self, x: Array, ctx: ForwardContext) -> tuple[Array, Any]:
        """z (N, D', H', W', O) for ``x`` (N, D, H, W, C), and what ``convolve_back`` needs besides x."""

    @abstractmethod
    def convolve_back(self, x: Array, dz: Array, kept: Any, ctx: BackwardContext) -> Array | None:
        """Hand the kernels their gradients; the gradient of ``x``, None where nobody needs it."""

    def build_last(self, shape: Shape, ctx: BuildContext) -> None:
        made = self.shape_last(shape)
        self.build_kernels(input_channels(self.name, shape), ctx)
        self.bias: Variable | None = ctx.weight(self, "bias", (int(made[-1] or 0),)) if self.use_bias else None

    def check_shape(self, shape: Shape) -> None:
        if self.moved_last(shape)[-1] != self.moved_last(self.built_shape)[-1]:
            super().check_shape(shape)

    def forward_last(self, x: Array, ctx: ForwardContext) -> tuple[Array, Saved]:
        z, of_products = self.convolve(as_volumes(x), ctx)
        z = of_rank(z, self.rank)
        y, kept = bias_activation.forward(z, self.bias, self.activation, ctx, self.is_channels_first)
        return y, (x, kept, of_products)

    def backward_last(self, dy: Array, saved: Saved, ctx: BackwardContext) -> Array | None:
        x, kept, of_products = saved
        dy = bias_activation.backward(dy, kept, self.bias, self.activation, ctx, self.is_channels_first)
        dx = self.convolve_back(as_volumes(x), as_volumes(dy), of_products, ctx)
        return None if dx is None else dx.reshape(x.shape)

    def windows(self, x: Array) -> Windows:
        """The windows over the volumes ``x``."""
        return self.sliding.windows(of_rank(x, self.rank).shape)

    @classmethod
    def from_config(cls, config: Mapping[str, Json]) -> Self:
        """Make the layer from a configuration, whose arguments of other layers are ignored."""
        return super().from_config({key: value for key, value in config.items() if key not in cls.of_others})


@dataclass(eq=False)
class Filters:
    """Filters, and how they slide.

    Args:
        filters: channels of the output.
        kernel_size: entries of a kernel, one number or one for each axis.
        strides: entries from one window to the next.
        padding: ``"valid"``: windows inside the input; ``"same"``: as many as ``ceil(n / stride)``, zeros
            around, the smaller half in front.
    """

    filters: int = field(metadata=COUNT)
    kernel_size: Extents
    strides: Extents = 1
    padding: str = "valid"


@dataclass(eq=False)
class Formatted:
    """The layout of the input.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``; by default ``keras.config.image_data_format()``.
    """

    data_format: str | None = None


@dataclass(eq=False)
class Dilated(Formatted):
    """The layout of the input, and the distance of a kernel's taps.

    Args:
        dilation_rate: entries from one tap of a kernel to the next.
    """

    dilation_rate: Extents = 1
