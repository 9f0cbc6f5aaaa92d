"""Cases of functions that reduce, sort and count."""

import numpy as np

from op_cases import booleans, call, integers, numbers, words

EACH = (None, 0, 1)
X, NARROW = numbers(4, 3), numbers(2, 3, 4)
TIED = np.array([[1.0, 3.0, 3.0], [2.0, -1.0, 2.0], [2.0, 0.0, 3.0]], np.float32)
WITH_NAN = np.where(booleans(5, 4, seed=1), np.float32(np.nan), numbers(5, 4))
WITH_NAN[:, 0] = numbers(5, seed=3)
WITH_NAN[1] = numbers(4, seed=4)


def over_axes(name, **options):
    """A reduction of all axes, of each, of several, and kept."""
    every = (*(call(name, X, axis=axis, **options) for axis in (None, 0, 1, -1, (0, 1))),
             call(name, X, axis=0, keepdims=True, **options), call(name, NARROW, axis=(-1, 0), **options))  # fmt: skip
    return [*every, call(name, numbers(3, 2), axis=-1, keepdims=True, **options).but(twice=name != "norm")]


def over_one_axis(name, x=X, **options):
    """A function along one axis."""
    return [call(name, x, axis=axis, **options) for axis in (0, 1, -1)]


REDUCTIONS = words("sum mean max min amax amin prod var std ptp logsumexp median")
OF_INTEGERS = words("sum mean max min prod any all count_nonzero argmax argmin var cumsum cumprod sort argsort")
WITHOUT_NAN = words("nansum nanprod nanmax nanmin nanmean nanvar nanstd nanmedian")
ORDERS = (None, 1, 2, -1, 3, 0, np.inf, -np.inf)

CASES = [case for name in REDUCTIONS for case in over_axes(name)]
CASES += [call(name, numbers(0, 3), axis=0).but(smooth=False) for name in ("sum", "prod")]
CASES += [call(name, np.float32(2.0) * np.ones((), "float32")) for name in ("sum", "mean", "max", "prod")]
CASES += [
    call(name, TIED, axis=axis).but(smooth=False) for name in ("max", "min", "amax", "ptp") for axis in (None, 0, 1)
]
CASES += [call(name, X, axis=0, initial=0.5) for name in ("max", "min")]
CASES += [call("prod", np.array([[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]], np.float32), axis=1)]
CASES += [call("any" if i else "all", booleans(4, 3), axis=axis) for i in (0, 1) for axis in (None, 0, -1, (0, 1))]
CASES += [call("count_nonzero", integers(4, 3), axis=axis) for axis in (None, 0, -1)]
CASES += [case for name in ("argmax", "argmin") for case in over_one_axis(name)]
CASES += [call(name, TIED, axis=None) for name in ("argmax", "argmin")]
CASES += [call("argmax", X, axis=1, keepdims=True)]
CASES += [call(name, integers(4, 3)) for name in [*OF_INTEGERS, "median"]]
CASES += [call(name, x) for name in OF_INTEGERS for x in (booleans(4, 3), integers(3, low=0).astype("uint8"))]
CASES += [call("average", X, axis=axis, weights=w) for axis, w in ((None, None), (1, None), (0, [1.0, 2.0, 3.0, 4]))]
CASES += [
    call("average", X, 1, numbers(3, low=0.5, high=1, seed=1)),
    call("average", X, None, np.abs(X) + np.float32(1)),
]
CASES += [
    call("quantile", X, q, axis=axis, keepdims=k)
    for q, axis, k in ((0.3, None, False), (0.3, 0, True), (0.5, 1, False))
]
CASES += [call("quantile", X, [0.1, 0.75], axis=0), call("quantile", NARROW, 0.4, axis=(0, 2))]
CASES += [call("quantile", X, 0.4, axis=0, method=m) for m in ("lower", "higher", "midpoint", "nearest")]
CASES += [call("percentile", X, 30.0, axis=1), call("percentile", X, [10.0, 50.0])]
CASES += [call("median", WITH_NAN, axis=1).but(smooth=False)]

CASES += [call(name, WITH_NAN, axis=axis).but(smooth=False) for name in WITHOUT_NAN for axis in (None, 0, -1)]
CASES += [call(name, WITH_NAN, axis=0, keepdims=True).but(smooth=False) for name in WITHOUT_NAN]
CASES += [
    call(name, WITH_NAN, axis=axis).but(smooth=False) for name in ("nancumsum", "nancumprod") for axis in (None, 0, 1)
]
CASES += [
    call(name, WITH_NAN, axis=axis).but(smooth=False) for name in ("nanargmax", "nanargmin") for axis in (None, 0, 1)
]
CASES += [call("nanquantile", WITH_NAN, q, axis=1).but(smooth=False) for q in (0.3, [0.2, 0.9])]
CASES += [call("nanpercentile", WITH_NAN, 30.0, axis=0).but(smooth=False)]

CASES += [case.but(twice=True) for name in ("cumsum", "cumprod") for case in over_one_axis(name)]
CASES += [call(name, X) for name in ("cumsum", "cumprod")]
CASES += [call("cumprod", np.array([2.0, 0.0, 3.0, 0.0, 4.0], np.float32))]
CASES += [call("diff", X, n=n, axis=axis) for n, axis in ((1, -1), (2, 0), (1, 0))]
CASES += [call("diff", integers(4))]
CASES += [call("trapezoid", X, dx=0.5), call("trapezoid", X, axis=0), call("trapezoid", X, numbers(3, seed=1))]
CASES += [call("trapezoid", X, numbers(4, seed=1), axis=0)]

CASES += [case for name in ("sort", "argsort") for case in over_one_axis(name)]
CASES += [case.but(smooth=False) for name in ("sort", "argsort") for case in over_one_axis(name, TIED)]
CASES += [call("argsort", X, axis=None)]
CASES += [call("top_k", x, k).but(smooth=x is X) for x in (X, TIED) for k in (1, 2, 3)]
CASES += [call("top_k", integers(4, 3), 2)]
CASES += [call("searchsorted", np.arange(4.0, dtype=np.float32), X, side=side) for side in ("left", "right")]
CASES += [call("digitize", X, np.array([-1.0, 0.0, 1.0], np.float32))]
CASES += [call("bincount", integers(6, low=0)), call("bincount", integers(6, low=0), minlength=9)]
CASES += [call("bincount", integers(6, low=0), numbers(6)), call("bincount", integers(2, 6, low=0))]
CASES += [call("histogram", numbers(12), bins=4).but(smooth=False), call("histogram", numbers(12), 3, (-1.0, 1.0))]
CASES += [call("unique", integers(8)), call("unique", integers(8), return_counts=True, return_inverse=True)]
CASES += [call("unique", integers(3, 2), axis=0), call("unique", integers(8), size=9, fill_value=7)]

CASES += [call("corrcoef", X), call("corrcoef", numbers(5))]
CASES += [call("correlate", numbers(6), numbers(n, seed=1), mode=m) for n in (3, 4) for m in ("valid", "same", "full")]
CASES += [call("correlate", numbers(3), numbers(5, seed=1), mode=m) for m in ("valid", "same", "full")]
CASES += [call("norm", X, ord=order, axis=axis) for order in ORDERS for axis in (0, -1)]
CASES += [call("norm", X, ord=order) for order in (None, "fro", 1, -1, np.inf, -np.inf, "nuc", 2, -2)]
CASES += [
    call("norm", NARROW, axis=(0, 2), keepdims=True),
    call("norm", NARROW, ord=1, axis=(2, 0)),
    call("norm", X, axis=0, keepdims=True),
]
CASES = [case.but(as_dtype=False) if "quantile" in case.name or "percentile" in case.name else case for case in CASES]
"""NumPy in JAX's place makes float64 of quantiles."""
