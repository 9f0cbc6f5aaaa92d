"""Cases of functions that give entries other places, join and split, pick and put."""

import numpy as np

from op_cases import call, numbers

X, THREE = numbers(4, 3), numbers(4, 3, 2)
ZERO, NONE = np.asarray(numbers()), numbers(0, 3)
SOME = np.array([0, 2, -1, 2], np.int32)
SHAPES = [
    *(call("reshape", X, newshape=shape) for shape in ((2, 6), (-1,), (4, -1), (4, 1, 3), [-1, 3])),
    *(call("ravel", x) for x in (X, ZERO, NONE)),
    *(call("broadcast_to", x, shape=(4, 3)) for x in (X, X[0], X[:, :1])),
    *(call("transpose", THREE, axes=axes) for axes in (None, (0, 2, 1), (1, 2, 0))),
    call("swapaxes", THREE, 1, -1),
    call("swapaxes", THREE, 0, 1),
    *(call("moveaxis", THREE, *axes) for axes in ((0, -1), (1, 2), ([0, 1], [1, 2]))),
    *(call("expand_dims", X, axis=axis) for axis in (0, 1, -1, (0, 2))),
    call("squeeze", X[:, :1]),
    call("squeeze", X[:, :1], axis=-1),
    call("squeeze", X[:1], axis=0),
    *(call("flip", X, axis=axis) for axis in (None, 0, 1, (0, 1))),
    call("fliplr", X),
    call("flipud", X),
    *(call("roll", X, shift, axis=axis) for shift, axis in ((1, None), (2, 0), (-1, 1), ((1, -1), (0, 1)))),
    call("rot90", X),
    call("rot90", THREE, k=3, axes=(1, 2)),
    *(call("repeat", X, 2, axis=axis) for axis in (None, 0, 1)),
    call("repeat", X, np.array([2, 0, 1]), axis=-1),
    *(call("tile", X, repeats) for repeats in (2, (2, 1), (1, 2), [2, 1, 1], np.array([2, 1]))),
    *(call("pad", X, widths) for widths in (1, ((0, 0), (1, 2)), ((1, 2), (0, 1)))),
    call("pad", X, ((0, 0), (1, 2)), "reflect"),
    call("pad", X, ((2, 0), (1, 1)), "symmetric"),
    call("pad", X, 1, constant_values=3.0),
    call("rearrange", numbers(4, 6, 2), "b (h w) c -> b c h w", h=2).but(in_keras=False),  # Keras cannot trace it
    call("rearrange", THREE, "a b c -> c (a b)"),
]
Y = numbers(4, 3, seed=1)
JOINED = [
    *(call("concatenate", [X, Y], axis=axis) for axis in (0, 1, -1)),
    call("concatenate", [NONE, X]),
    call("concatenate", [X[:, 0], SOME]),
    *(call("stack", [X, Y], axis=axis) for axis in (0, 1, -1)),
    call("append", X, Y),
    call("append", X, Y, axis=1),
    *(call(name, [x, x]) for name in ("vstack", "hstack", "dstack") for x in (X, X[0], THREE, ZERO)),
    *(call("split", X, parts, axis=axis) for parts, axis in ((2, 0), ([1, 3], 0), (3, 1), ([1], -1))),
    call("array_split", X, 3),
    call("vsplit", X, 2),
    call("hsplit", X, 3),
    call("hsplit", X[:, 0], 2),
    call("dsplit", THREE, 2),
    call("unstack", X),
    call("unstack", X, axis=1),
    call("meshgrid", X[0], X[:, 0]),
    call("meshgrid", X[0], X[:, 0], indexing="ij"),
]
DIAGONALS = [
    *(call(name, X, k=k) for name in ("diag", "diagflat", "tril", "triu") for k in (0, 1, -1)),
    call("diag", X[0], k=1),
    call("tril", THREE),
    call("trace", X, offset=1),
    call("trace", THREE, axis1=1, axis2=2),
    call("diagonal", THREE, 1),
    call("diagonal", THREE, 0, 1, 2),
]
KEYS = [
    *(0, slice(1, 3), (slice(None), 1), (Ellipsis, 0), slice(None, None, -1), (None, slice(1, None, 2), 2), SOME[:2]),
    *((slice(None), SOME[:2]), (np.array([[0], [1]]), np.array([0, 1])), X > 0, (slice(None), None, slice(0, 2))),
]
PLACES = np.argsort(X, axis=1).astype(np.int32)
PICKED = [
    *(call("get_item", X, key) for key in KEYS),
    *(call("where", X > 0, *pair) for pair in ((X, Y), (X, 0.0), (X, X[0]), (1, 2), (1.0, 2.0))),
    call("where", X > 1),
    call("nonzero", X > 1),
    *(call("take", X, places, axis=axis) for places in (SOME, SOME.reshape(2, 2), 1) for axis in (None, 0, -1)),
    call("take_along_axis", X, PLACES, axis=1),
    call("take_along_axis", X, PLACES[:, :1], axis=-1),
    call("take_along_axis", X, PLACES[:1], axis=0),
    call("take_along_axis", X, SOME, axis=None),
    call("select", [X > 1, X > 0], [X, Y], 0.5),
    call("unravel_index", np.array([0, 5, 7], np.int32), (3, 4)),
    *(call("slice", X, start, shape) for start, shape in (([0, 1], (4, 2)), ([1, 0], (2, 3)), ([3, 1], (2, 2)))),
    call("slice_update", X, [1, 0], numbers(2, 2)),
    call("scatter", np.array([[0], [2], [0]], np.int32), numbers(3, 2), (4, 2)),
    *(call("scatter_update", X, np.array([[0, 1], [2, 2]]), numbers(2), how) for how in (None, "add")),
]
CASES = [case.but(twice=True) for case in (*SHAPES, *JOINED, *DIAGONALS, *PICKED)]
CASES += [
    call("scatter_update", SOME, np.array([[0], [2]]), SOME[:2], reduction) for reduction in ("max", "min", "mul")
]
