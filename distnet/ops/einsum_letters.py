"""``einsum``: products of tensors whose axes letters name, summed over those that the result lacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from distnet.ops.dtypes import promoted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.spread import by_rows, in_parts, is_spread, rows_of, summed
from distnet.types import Array, ArrayLike


def spelled_out(subscripts: str, ndims: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the result: the dots, and a result that was left out, in letters.

    Args:
        ndims: how many axes each operand has.

    Source: ``numpy.einsum``.
    """
    before, arrow, after = subscripts.replace(" ", "").partition("->")
    parts = before.split(",")
    unused = [letter for letter in ascii_letters if letter not in subscripts]
    most = max(ndim - len(part.replace("...", "")) for part, ndim in zip(parts, ndims, strict=True))
    dots = "".join(unused[:most]) if "..." in subscripts else ""
    letters = [
        part.replace("...", dots[len(dots) - (ndim - len(part.replace("...", ""))) :] if "..." in part else "")
        for part, ndim in zip(parts, ndims, strict=True)
    ]
    letters = [
        part.replace("...", "") if ndim == len(part.replace("...", "")) else made
        for part, made, ndim in zip(parts, letters, ndims, strict=True)
    ]
    if arrow:
        return letters, after.replace("...", dots)
    every = "".join(parts).replace("...", "")
    return letters, dots + "".join(letter for letter in sorted(set(every)) if every.count(letter) == 1)


def _along_rows(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Where the batch has a letter of its own: rows of the result, or sums over the rows."""
    letters, made = spelled_out(options["subscripts"], [np.ndim(o) for o in operands])
    firsts = {part[:1] for part, operand in zip(letters, operands, strict=True) if is_spread(operand)}
    if len(firsts) != 1:
        return None
    (batch,) = firsts
    if (
        any(part.count(batch) != is_spread(operand) for part, operand in zip(letters, operands, strict=True))
        or batch in made[1:]
    ):
        return None
    rows = rows_of(operands)
    if any(operand.rows.total != rows.total for operand in operands if is_spread(operand)):
        return None
    if made[:1] == batch:
        return by_rows(function, operands, options, rows)
    return summed(in_parts(function, operands, options))


@primitive(1, kind="Einsum", spread=_along_rows)
def einsum_of(*operands: ArrayLike, subscripts: str) -> Array:
    """``einsum`` with the subscripts last."""
    arrays = promoted(*operands)
    return np.asarray(np.einsum(subscripts, *arrays, optimize=len(arrays) > 1))


def _of_operand(dy: Any, y: Any, *given: Any, subscripts: str) -> Any:
    """The product of dy and the other operands, with the axes of this one."""
    *operands, number = given
    letters, made = spelled_out(subscripts, [np.ndim(o) for o in operands])
    own, x = letters[number], operands[number]
    others = [(part, o) for i, (part, o) in enumerate(zip(letters, operands, strict=True)) if i != number]
    once = "".join(dict.fromkeys(own))
    extents = dict(zip(own, x.shape, strict=True))
    # An axis of 1 that others have longer is summed over, as it was broadcast.
    reached = "".join(c for c in once if extents[c] != 1 and (c in made or any(c in part for part, _ in others)))
    product = einsum_of(
        dy, *(o for _, o in others), subscripts=f"{','.join([made, *(p for p, _ in others)])}->{reached}"
    )
    shape = tuple(product.shape[reached.index(c)] if c in reached else 1 for c in once)
    product = PRIMITIVES["BroadcastTo"](product.reshape(shape), tuple(extents[c] for c in once))
    if once == own:
        return product
    numbers = {c: np.arange(extents[c]).reshape([-1 if c == d else 1 for d in once]) for c in once}
    return PRIMITIVES["PutItem"](product, x.shape, tuple(numbers[c] for c in own))


einsum_of.has_gradients(_of_operand)


def einsum(subscripts: str, *operands: Any, **kwargs: Any) -> Any:
    """Products of tensors whose axes letters name, summed over the letters that the result lacks.

    >>> import distnet
    >>> distnet.ops.einsum("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]])
    array([[11.]], dtype=float32)

    Args:
        subscripts: letters of each operand's axes and of the result's: ``"bij,bjk->bik"``. Dots stand for any number of
            axes; without an arrow the result has the letters that occur once.
        kwargs: unused, as ``optimize``.

    Source: ``keras.ops.einsum``.
    """
    return einsum_of(*operands, subscripts=subscripts)
