"""Weights that older versions of Keras laid out differently, in the present layout; likewise optimizers' slots.

- Keras on Theano convolves: its kernels are flipped.
- Keras 1 has an array for each gate of LSTM, GRU and ConvLSTM2D, and kernels of images (filters, channels, height,
  width) where channels come first. It lists an optimizer's slots by the names of the weights.
- CuDNN's layers have transposed kernels and two biases.

Source: ``preprocess_weights_for_loading`` of Keras 2.2 and of tf_keras 2.21; ``keras.engine.training`` of Keras 1.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from distnet import layers
from distnet.dialects.versions import FIRST_VERSION, is_keras_1
from distnet.layers import Layer
from distnet.layers.wrappers.base import Wrapper
from distnet.types import Array

_CONVOLVING = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")
_GATES = {"LSTM": (0, 2, 1, 3), "GRU": (0, 1, 2), "ConvLSTM2D": (0, 2, 1, 3)}
"""For layers whose gates Keras 1 kept apart: the places, in its order, of the present ones."""


@dataclass(frozen=True)
class Origin:
    """Who wrote the weights.

    Args:
        is_keras_1: whether Keras 1.
        is_theano: whether Keras on Theano.
    """

    is_keras_1: bool = False
    is_theano: bool = False

    @classmethod
    def of(cls, version: str | None, backend: str | None, names: Callable[[], Iterable[str]]) -> Self:
        """Who wrote the weights, told by what the file says of it.

        Args:
            version: None where it says none, as the first Kerases.
            backend: None where it says none, as Keras up to 1.2: then the names of the weights tell.
            names: gives these names.
        """
        is_first = is_keras_1(version or FIRST_VERSION)
        if backend is None and is_first:
            return cls(is_first, is_theano=any(name.endswith("_W") for name in names()))
        return cls(is_first, is_theano=backend == "theano")

    def in_order_of(self, layers: list[str], listed: list[str]) -> list[str]:
        """The names that a file lists, in the order of the layers: Keras 1 lists those of branches in its own order."""
        return layers if self.is_keras_1 and set(layers) == set(listed) else listed


@dataclass(frozen=True)
class Held:
    """The weights of a layer as a file lists them.

    Args:
        layer: to be filled.
        names: of its arrays.
        shapes: of its arrays.
    """

    layer: Layer
    names: Sequence[str]
    shapes: Sequence[tuple[int, ...]]


@dataclass(frozen=True)
class _Share:
    """What one layer without layers within it has in the list of arrays of another."""

    layer: Layer
    count: int
    is_trained: bool


def in_present_layout(layer: Layer, arrays: Sequence[Array], origin: Origin) -> list[Array]:
    """A layer's arrays as it has them now; those that do not fit it stay as they are."""
    shares = _shares(layer, len(arrays), origin)
    if shares is None:
        return list(arrays)
    present: list[Array] = []
    start = 0
    for share in shares:
        present += _of_leaf(share.layer, list(arrays[start : start + share.count]), origin)
        start += share.count
    return present


def slots_in_present_layout(weights: Sequence[Held], values: Sequence[Array], origin: Origin) -> list[Array]:
    """The arrays of an optimizer's state that goes slot by slot, each slot laid out as the weights that it belongs to.

    Returns:
        What stands before the slots, then each slot in the present layout and order, then what is no whole slot.
    """
    places = _trained(weights, origin)
    order = sorted(range(len(places)), key=lambda i: places[i][2]) if origin.is_keras_1 else list(range(len(places)))
    start = next((i for i, value in enumerate(values) if np.shape(value)), len(values))
    listed = list(values[:start])
    while places:
        part = values[start : start + len(places)]
        by_place = {places[i][:2]: array for i, array in zip(order, part, strict=False)}
        if len(by_place) < len(places) or any(a.shape != weights[i].shapes[k] for (i, k), a in by_place.items()):
            break
        for i, held in enumerate(weights):
            given = [by_place[i, k] for k in range(len(held.names)) if (i, k) in by_place]
            listed += _trained_in_present_layout(held.layer, given, origin)
        start += len(places)
    return [*listed, *values[start:]]


def _trained(weights: Sequence[Held], origin: Origin) -> list[tuple[int, int, str]]:
    """The trained arrays: the number of the layer, the array's in it, and its name."""
    places = []
    for i, held in enumerate(weights):
        k = 0
        for share in _shares(held.layer, len(held.names), origin) or ():
            places += [(i, n, held.names[n]) for n in range(k, k + share.count) if share.is_trained]
            k += share.count
    return places


def _trained_in_present_layout(layer: Layer, arrays: Sequence[Array], origin: Origin) -> list[Array]:
    present: list[Array] = []
    start = 0
    for share in _shares_of_trained(layer, len(arrays), origin):
        present += _of_leaf(share.layer, list(arrays[start : start + share.count]), origin, is_slot=True)
        start += share.count
    return present


def _shares_of_trained(layer: Layer, count: int, origin: Origin) -> list[_Share]:
    for has_gates_apart in (False, True):
        shares = [share for share in _listed(layer, has_gates_apart) if share.is_trained]
        if sum(share.count for share in shares) == count:
            return shares
    return []


def _shares(layer: Layer, count: int, origin: Origin) -> list[_Share] | None:
    """Whose the arrays of a layer are, one after the other; None where they are not as many."""
    for has_gates_apart in (False, True) if origin.is_keras_1 else (False,):
        shares = _listed(layer, has_gates_apart)
        if sum(share.count for share in shares) == count:
            return shares
    return None


def _listed(layer: Layer, has_gates_apart: bool) -> list[_Share]:
    """The trained weights of all layers within, then the others."""
    leaves = list(_leaves(layer))
    trained = [_Share(leaf, _count(leaf, len(leaf.trainable_weights), has_gates_apart), True) for leaf in leaves]
    others = [_Share(leaf, _count(leaf, len(leaf.non_trainable_weights), has_gates_apart), False) for leaf in leaves]
    return [share for share in (*trained, *others) if share.count]


def _leaves(layer: Layer) -> Iterator[Layer]:
    within = layer.sublayers if isinstance(layer, Wrapper) else getattr(layer, "layers", None)
    if within is None:
        yield layer
        return
    for part in within:
        yield from _leaves(part)


def _count(leaf: Layer, count: int, has_gates_apart: bool) -> int:
    gates = len(_GATES.get(type(leaf).__name__, ())) if has_gates_apart else 1
    return count * (gates or 1)


def _of_leaf(leaf: Layer, arrays: list[Array], origin: Origin, is_slot: bool = False) -> list[Array]:
    name = type(leaf).__name__
    gates = _GATES.get(name, ())
    if name in _CONVOLVING or (name == "SeparableConv2D" and origin.is_keras_1):
        arrays = [_kernel(leaf, array, origin) if array.ndim > 1 else array for array in arrays]
    if gates and len(arrays) == 3 * len(gates):
        arrays = [np.concatenate([arrays[3 * g + k] for g in gates], axis=-1) for k in range(3)]
    return _without_cudnn(leaf, arrays, is_slot) if isinstance(leaf, layers.LSTM | layers.GRU) else arrays


def _kernel(leaf: Layer, kernel: Array, origin: Origin) -> Array:
    """A kernel that slides over its input, its axes in the present order and direction."""
    if origin.is_keras_1:
        kernel = _kernel_of_keras_1(leaf, kernel)
    if origin.is_theano:
        kernel = np.flip(kernel, tuple(range(kernel.ndim - 2)))
    return np.ascontiguousarray(kernel)


def _kernel_of_keras_1(leaf: Layer, kernel: Array) -> Array:
    """A kernel (..., inputs, filters), of a transposed convolution (..., filters, inputs)."""
    shape = leaf.weights[0].shape
    if type(leaf).__name__ == "Conv1D" and kernel.ndim == 4:
        # Keras up to 1.1 has (filters, inputs, length, 1), then (length, 1, inputs, filters).
        is_first = kernel.shape[:2] != (shape[0], 1) or kernel.shape[3] != shape[2]
        return kernel[..., 0].transpose(2, 1, 0) if is_first else kernel[:, 0]
    is_first = getattr(leaf, "data_format", None) == "channels_first"
    if type(leaf).__name__ == "Conv2DTranspose" and kernel.ndim == 4:
        return kernel.transpose(2, 3, 0, 1) if is_first else kernel.transpose(0, 1, 3, 2)
    if is_first and kernel.ndim == len(shape):
        return kernel.transpose(*range(2, kernel.ndim), 1, 0)
    return kernel


def _without_cudnn(leaf: layers.LSTM | layers.GRU, arrays: list[Array], is_slot: bool) -> list[Array]:
    """Kernels and bias of a CuDNN layer as those of ``leaf``; others stay as they are.

    Of a slot, the two halves of a bias, which are alike, become one.
    """
    gates = len(_GATES["LSTM" if isinstance(leaf, layers.LSTM) else "GRU"])
    if len(arrays) != 3 or arrays[2].shape != (2 * gates * leaf.units,):
        return arrays
    kernel, recurrent, bias = arrays
    if recurrent.shape != (leaf.units, gates * leaf.units) or kernel.ndim != 2:
        return arrays
    turned = [part.reshape(part.shape[::-1]).T for part in np.split(kernel, gates, axis=1)]
    recurrent = np.hstack([part.T for part in np.split(recurrent, gates, axis=1)])
    halves = bias.reshape(2, -1)
    if isinstance(leaf, layers.LSTM):
        halves = halves.mean(axis=0) if is_slot else halves.sum(axis=0)
    return [np.hstack(turned), recurrent, halves]
