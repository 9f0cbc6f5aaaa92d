"""The answer to scripts that make a layer of a function."""

from __future__ import annotations

from typing import Any, NoReturn

from distnet.errors import ArgumentError


def Lambda(function: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """Refuse, and say what to do instead: a function alone brings no gradient.

    Raises:
        ArgumentError: always.

    Source: ``keras.layers.Lambda``.
    """
    raise ArgumentError(
        f"Lambda: cannot make a layer of {function!r}, for distnet has no automatic differentiation and no code is "
        "kept in files. Sums, differences and products of what layers return can be written as they are, x + 2 * y; "
        "there are layers for most else (Rescaling, Reshape, Permute, Activation, Multiply, Dot). Otherwise make a "
        "Layer of your own, with forward and backward."
    )
