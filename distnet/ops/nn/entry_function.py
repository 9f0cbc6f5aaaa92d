"""What a function of each entry is: its value written into given memory, and its derivative."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from distnet import kernels
from distnet.ops.dtypes import floating
from distnet.ops.nn.pieces import in_blocks
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive
from distnet.ops.spread import elementwise
from distnet.ops.tensor import Tensor
from distnet.types import Array, ArrayLike


class EntryFunction(Primitive):
    """A function of each entry of a tensor, which layers also call with memory of their own.

    Args:
        write: ``(x, out, options)`` writes the values; ``out`` may be x unless ``saves_input``.
        slope: the derivative as a function of the values, or of x if ``saves_input``, and the options. It is written
            with operators and ``pieces``, for arrays and for tensors.
        saves_input: whether the derivative is one of x.
        is_long: whether the formulas have so many passes that they should see small blocks of memory.
        keeps_integers: whether integers stay integers.
        kind, module: as for ``Primitive``.
        kernel: the name by which the kernels know the function's gradient, if they do.
    """

    def __init__(
        self, write: Callable[..., None], slope: Callable[..., Any], saves_input: bool, is_long: bool,
        keeps_integers: bool, kind: str, module: str, kernel: str = "",
    ) -> None:  # fmt: skip
        self.kernel = kernel
        self.slope, self.saves_input, self.is_long, self.keeps_integers = slope, saves_input, is_long, keeps_integers
        self._write = write
        super().__init__(self._value_like(write), 1, kind, f"keras.src.ops.{module}", elementwise, False)
        self.has_gradients(self._pulled)

    def write(self, x: Array, out: Array, **options: Any) -> None:
        """Write the values into ``out``."""
        if self.is_long:
            in_blocks(lambda x, out: self._write(x, out, **options), x, out)
        else:
            self._write(x, out, **options)

    def write_gradient(self, dy: Array, saved: Array, out: Array, **options: Any) -> None:
        """Write the gradient of x into ``out``, which may be ``dy``; ``saved`` is x if ``saves_input``, else y."""
        if self.is_long:
            in_blocks(lambda dy, saved, out: np.multiply(dy, self.slope(saved, **options), out=out), dy, saved, out)
        else:
            np.multiply(dy, self.slope(saved, **options), out=out)

    def of(self, x: Any, **options: Any) -> Any:
        """The function within a derivative: an array of an array, a tensor of a tensor."""
        return self(x, **options) if type(x) is Tensor else self.value(x, **options)

    def _pulled(self, dy: Any, y: Any, x: Any, **options: Any) -> Any:
        saved = x if self.saves_input else y
        if self.kernel and _are_for_kernels(dy, saved):
            return kernels.current().activation_gradient(dy, saved, self.kernel, np.empty_like(saved))
        return dy * self.slope(np.asarray(saved) if isinstance(saved, np.ndarray) else saved, **options)

    def _value_like(self, write: Callable[..., None]) -> Callable[..., Array]:
        """The function of arrays; its signature is that of ``write`` without ``out``."""
        takes_zero_axes = self._of_floating

        def value(x: ArrayLike, **options: Any) -> Array:
            return takes_zero_axes(x, options)

        x, _, *options = inspect.signature(write).parameters.values()
        value.__signature__ = inspect.Signature([x, *options])  # type: ignore[attr-defined]
        value.__name__, value.__doc__, value.__module__ = write.__name__, write.__doc__, write.__module__
        return value

    def _of_floating(self, x: ArrayLike, options: Mapping[str, Any]) -> Array:
        array = np.asarray(x)
        if not (self.keeps_integers and array.dtype.kind in "iu"):
            array = floating(array)
        out = np.empty(array.shape, array.dtype)
        # A number becomes an array of one entry: NumPy's functions return no array for one without axes.
        self.write(*((array, out) if array.ndim else (array[np.newaxis], out[np.newaxis])), **options)
        return out


def _are_for_kernels(*arrays: Any) -> bool:
    """Whether they are contiguous arrays of one shape and one of two precisions."""
    first = arrays[0]
    return all(
        type(a) is np.ndarray and a.flags.c_contiguous and a.dtype.char in "fd" and a.shape == first.shape
        and a.dtype == first.dtype
        for a in arrays
    )  # fmt: skip


def entry_function(
    slope: Callable[..., Any],
    *,
    saves_input: bool = False,
    is_long: bool = False,
    keeps_integers: bool = False,
    kind: str | None = None,
    module: str = "nn",
    kernel: str = "",
) -> Callable[[Callable[..., None]], EntryFunction]:
    """Decorate a function that writes values: see ``EntryFunction`` for it, and for the arguments."""

    def decorate(write: Callable[..., None]) -> EntryFunction:
        name = kind or "".join(part.capitalize() for part in write.__name__.split("_"))
        made = EntryFunction(write, slope, saves_input, is_long, keeps_integers, name, module, kernel)
        PRIMITIVES[name] = made
        return made

    return decorate
