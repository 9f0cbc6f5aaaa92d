"""Random choices: of classes, of entries to drop, of an order."""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet import addresses
from distnet.arguments import is_integer
from distnet.errors import ArgumentError
from distnet.ops.operators import PRIMITIVES
from distnet.ops.tensor import Tensor
from distnet.random.entries import Entries
from distnet.random.seed_generator import address_of
from distnet.variables import Variable


def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Any = None) -> Any:
    """Classes, each drawn with the probability that softmax makes of its logit.

    Shapes:
        (N, C) -> (N, num_samples).

    Raises:
        ArgumentError: logits of another shape.

    Source: ``keras.random.categorical``.
    """
    shape = logits.shape if hasattr(logits, "shape") else np.shape(logits)
    if len(shape) != 2:
        raise ArgumentError(f"random.categorical: expected logits (N, C), received {tuple(shape)}.")
    rows, classes = shape
    drawn = Entries.of("categorical", (rows, num_samples, classes), seed)
    own = logits.value if isinstance(logits, Tensor | Variable) else np.asarray(logits)
    if drawn.rows is not None and not (isinstance(logits, Tensor) and logits.rows is not None):
        own = own[drawn.rows.first : drawn.rows.first + drawn.rows.count]
    noise = -np.log(-np.log(np.maximum(drawn.uniforms(), 2.0**-54)))
    return drawn.result(np.argmax(own[:, None] + noise, axis=-1), dtype)


def dropout(inputs: Any, rate: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """Entries set to 0 with probability ``rate``; the others are divided by ``1 - rate``.

    Args:
        inputs: any tensor; gradients flow through what is kept.
        rate: in [0, 1].
        noise_shape: of the choices, which are broadcast to the inputs; None in it stands for the inputs' extent.

    Raises:
        ArgumentError: another rate.

    Source: ``keras.random.dropout``.
    """
    if not 0 <= rate <= 1:
        raise ArgumentError(f"random.dropout: expected a rate in [0, 1], received {rate!r}.")
    if rate == 0:
        return inputs
    x = inputs if hasattr(inputs, "shape") else np.asarray(inputs)
    given = x.shape if noise_shape is None else noise_shape
    shape = [x.shape[i] if n is None else n for i, n in enumerate(given)]
    drawn = Entries.of("dropout", shape, seed)
    keeps = drawn.result(drawn.uniforms() >= rate, "bool")
    return PRIMITIVES["Where"](keeps, PRIMITIVES["Multiply"](x, 1 / (1 - rate) if rate < 1 else 0.0), 0.0)


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Any:
    """``x`` with its entries along an axis in another order.

    Raises:
        ArgumentError: there is no such axis.

    Source: ``keras.random.shuffle``.
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    if not is_integer(axis) or not -len(x.shape) <= axis < len(x.shape):
        raise ArgumentError(f"random.shuffle: expected an axis of shape {tuple(x.shape)}, received {axis!r}.")
    order = addresses.generator(*address_of(seed)).permutation(x.shape[axis])
    return PRIMITIVES["Take"](x, order, axis)
