"""Functions that give entries other places along their axes, and repeat them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from distnet.ops.compositions import composition
from distnet.ops.dtypes import converted
from distnet.ops.operators import PRIMITIVES
from distnet.ops.primitive import Primitive, primitive
from distnet.ops.reductions import as_axis
from distnet.ops.spread import along, rowwise
from distnet.types import Array, ArrayLike


def moved(value: Callable[..., Array]) -> Callable[..., Any]:
    """The gradient of a function whose result holds entries of x, each anywhere and any number of times, and zeros."""

    def pull(dy: Any, y: Any, x: Any, **options: Any) -> Any:
        places = np.asarray(value(np.arange(1, x.size + 1).reshape(x.shape), **options)).reshape(-1)
        return PRIMITIVES["PutItem"](dy.reshape(-1), (x.size + 1,), (places,))[1:].reshape(x.shape)

    return pull


@primitive(spread=along())
def flip(x: ArrayLike, axis: Any = None) -> Array:
    """The entries along axes, or along all, in reverse order."""
    return np.flip(converted(x), as_axis(axis))


flip.has_gradients(lambda dy, y, x, axis: PRIMITIVES["Flip"](dy, axis))


@primitive(spread=rowwise)
def fliplr(x: ArrayLike) -> Array:
    """The entries along the second axis in reverse order."""
    return np.fliplr(converted(x))


fliplr.has_gradients(lambda dy, y, x: PRIMITIVES["Flip"](dy, 1))


@primitive()
def flipud(x: ArrayLike) -> Array:
    """The entries along the first axis in reverse order."""
    return np.flipud(converted(x))


flipud.has_gradients(lambda dy, y, x: PRIMITIVES["Flip"](dy, 0))


def _rolled_back(dy: Any, y: Any, x: Any, shift: Any, axis: Any) -> Any:
    back = [-n for n in shift] if isinstance(shift, list | tuple) else -shift
    return PRIMITIVES["Roll"](dy, back, axis)


@primitive(spread=along())
def roll(x: ArrayLike, shift: Any, axis: Any = None) -> Array:
    """The entries moved along axes; those moved out come in at the other end."""
    return np.roll(converted(x), shift, as_axis(axis))


roll.has_gradients(_rolled_back)


@primitive()
def rot90(array: ArrayLike, k: int = 1, axes: Any = (0, 1)) -> Array:
    """Turned k times by 90 degrees, from the first axis towards the second."""
    return np.rot90(converted(array), k, tuple(axes))


rot90.has_gradients(lambda dy, y, array, k, axes: PRIMITIVES["Rot90"](dy, -k, axes))


@primitive(spread=along())
def repeat(x: ArrayLike, repeats: Any, axis: int | None = None) -> Array:
    """Each entry several times in a row.

    Args:
        repeats: how often; or for each entry along the axis.
        axis: None for all entries along one axis.
    """
    return np.repeat(converted(x), repeats, axis)


def _of_repeat(dy: Any, y: Any, x: Any, repeats: Any, axis: int | None) -> Any:
    if axis is None:
        return _of_repeat(dy, y, x.reshape(-1), repeats, 0).reshape(x.shape)
    axis %= x.ndim
    if isinstance(repeats, int):
        split = dy.reshape((*x.shape[: axis + 1], repeats, *x.shape[axis + 1 :]))
        return PRIMITIVES["Sum"](split, axis=axis + 1)
    places = np.repeat(np.arange(x.shape[axis]), np.asarray(repeats))
    return PRIMITIVES["PutItem"](dy, x.shape, (*[slice(None)] * axis, places))


repeat.has_gradients(_of_repeat)


def _first_once(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    """Each row by itself, unless the rows are repeated, too."""
    (x,), each = operands, _times(options["repeats"])
    is_whole = len(each) < x.ndim or (len(each) == x.ndim and each[0] == 1)
    return rowwise(function, operands, options) if is_whole else None


@primitive(spread=_first_once)
def tile(x: ArrayLike, repeats: Any) -> Array:
    """The whole array several times along each axis."""
    return np.tile(converted(x), repeats)


def _times(repeats: Any) -> tuple[int, ...]:
    """How often ``tile`` repeats the array along each of the last axes."""
    return tuple(int(n) for n in np.atleast_1d(np.asarray(repeats)))


def _of_tile(dy: Any, y: Any, x: Any, repeats: Any) -> Any:
    each = _times(repeats)
    ndim = max(len(each), x.ndim)
    each, extents = (1,) * (ndim - len(each)) + each, (1,) * (ndim - x.ndim) + x.shape
    split = dy.reshape(tuple(n for pair in zip(each, extents, strict=True) for n in pair))
    return PRIMITIVES["Sum"](split, axis=tuple(range(0, 2 * ndim, 2))).reshape(x.shape)


tile.has_gradients(_of_tile)


def _rows_not_padded(function: Primitive, operands: Sequence[Any], options: Mapping[str, Any]) -> Any:
    (x,), widths = operands, options["pad_width"]
    first = _widths(widths, x.ndim)[0]
    return rowwise(function, operands, options) if first == (0, 0) else None


@primitive(spread=_rows_not_padded)
def pad(x: ArrayLike, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Array:
    """``x`` with entries added before and after those of each axis.

    Args:
        pad_width: how many before and after, for each axis or for all.
        mode: ``"constant"``, ``"reflect"``, ``"symmetric"`` or another of ``numpy.pad``.
        constant_values: what ``"constant"`` adds; 0 by default.

    Source: ``keras.ops.pad``.
    """
    options = {"constant_values": 0 if constant_values is None else constant_values} if mode == "constant" else {}
    given = converted(x)
    return np.pad(given, _widths(pad_width, given.ndim), mode, **options)  # type: ignore[call-overload,no-any-return]


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    pairs = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    return [(int(before), int(after)) for before, after in pairs]


def _of_pad(dy: Any, y: Any, x: Any, pad_width: Any, mode: str, constant_values: Any) -> Any:
    widths = _widths(pad_width, x.ndim)
    if mode == "constant":
        return dy[tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))]
    return moved(pad.value)(dy, y, x, pad_width=pad_width, mode=mode)


pad.has_gradients(_of_pad)


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Axes split, reordered and joined as a pattern says: ``"b (h w) c -> b c h w"``.

    Args:
        axes_lengths: extents of axes that are split; one in each pair of brackets can be left out.

    Source: ``keras.ops.rearrange``.
    """
    return rearranged(tensor, pattern, axes_lengths)


@composition(kind="Rearrange", module="einops")
def rearranged(tensor: Any, pattern: str, axes_lengths: Mapping[str, int]) -> Any:
    """``rearrange`` with the extents in a mapping."""
    before, after = (_groups(side) for side in pattern.split("->"))
    extents = dict(axes_lengths)
    whole: list[int] = []
    for group, extent in zip(before, tensor.shape, strict=True):
        known = int(np.prod([extents[name] for name in group if name in extents]))
        extents.update({name: extent // known for name in group if name not in extents})
        whole += [extents[name] for name in group]
    names = [name for group in before for name in group]
    order = [names.index(name) for group in after for name in group]
    split = PRIMITIVES["Reshape"](tensor, tuple(whole))
    joined = tuple(int(np.prod([extents[name] for name in group])) for group in after)
    return PRIMITIVES["Reshape"](PRIMITIVES["Transpose"](split, order), joined)


def _groups(side: str) -> list[list[str]]:
    """The names of the axes, those in brackets together."""
    groups: list[list[str]] = []
    is_open = False
    for token in side.replace("(", " ( ").replace(")", " ) ").split():
        if token in "()":
            is_open = token == "("
            if is_open:
                groups.append([])
        elif is_open:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups
