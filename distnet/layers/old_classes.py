"""Layers by Keras 1's names, with its order of arguments."""

from __future__ import annotations

import warnings
from abc import ABCMeta
from typing import Any

from distnet.layers.convolutional.convolution import Conv1D, Conv2D, Conv3D
from distnet.layers.convolutional.separable_convolution import SeparableConv2D
from distnet.layers.convolutional.transposed_convolution import Conv2DTranspose
from distnet.layers.core.dense import Dense
from distnet.layers.engine.base import Layer
from distnet.old_names import kernel_first, translated_arguments


class OldClass(ABCMeta):
    """An old name for a layer's class: calling it makes a layer of today's class, which counts as its instance.

    Args:
        today: the class.
        axes: number of kernel extents, passed one by one: ``Convolution2D(32, 3, 3)``.
        ignored: number of arguments after them that are deduced today.
    """

    def __new__(mcs, name: str, today: type[Layer], axes: int = 1, ignored: int = 0) -> OldClass:
        """Make the name; today's class is its virtual subclass."""
        cls = super().__new__(mcs, name, (), {"__doc__": f"Keras 1's name of ``{today.__name__}``.", "__slots__": ()})
        cls.register(today)
        return cls

    def __init__(cls, name: str, today: type[Layer], axes: int = 1, ignored: int = 0) -> None:
        super().__init__(name, (), {})
        cls.today, cls.axes, cls.ignored = today, axes, ignored

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A layer of today's class."""
        values = kernel_first(args, cls.axes) if cls.axes > 1 else list(args)
        if len(values) < len(args):
            warnings.warn(
                f"{cls.__name__}{args[: 1 + cls.axes]}: makes a kernel of {values[1]}, as in Keras 1 and 2.0 to 2.3. "
                f"Later Keras takes the last number for strides. Write {cls.today.__name__}({values[0]}, {values[1]}).",
                stacklevel=2,
            )
            del values[2 : 2 + cls.ignored]
        return cls.today(*values, **translated_arguments(cls.__name__, kwargs, stacklevel=3))


Convolution1D = OldClass("Convolution1D", Conv1D)
Convolution2D = OldClass("Convolution2D", Conv2D, axes=2)
Convolution3D = OldClass("Convolution3D", Conv3D, axes=3)
AtrousConvolution1D = OldClass("AtrousConvolution1D", Conv1D)
AtrousConvolution2D = OldClass("AtrousConvolution2D", Conv2D, axes=2)
Deconvolution2D = OldClass("Deconvolution2D", Conv2DTranspose, axes=2, ignored=1)
SeparableConvolution2D = OldClass("SeparableConvolution2D", SeparableConv2D, axes=2)
TimeDistributedDense = OldClass("TimeDistributedDense", Dense)
