"""Cases of functions of each entry."""

import numpy as np

from op_cases import booleans, call, integers, numbers, words

NAN, INF = np.nan, np.inf
ODD = np.array([-INF, -1.5, -0.0, 0.0, 2.5, INF, NAN], np.float32)
"""Numbers at which functions have steps, kinks and exceptions."""


def of_one(name, low=-2.0, high=2.0):
    """A function of each entry of one array: of two axes, of none, and of no entries."""
    shapes = (3, 2), (), (0, 2)
    return [call(name, np.asarray(numbers(*shape, low=low, high=high))).but(twice=True) for shape in shapes]


def of_two(name, low=-2.0, high=2.0):
    """A function of matching entries of two arrays: of one shape, broadcast, and with a number."""
    a, b = numbers(4, 3, low=low, high=high), numbers(4, 3, low=low, high=high, seed=1)
    pairs = (a, b), (a, b[0]), (a[:1], b), (a[:, :1], b[0]), (a, np.asarray(b[0, 0])), (a[:0], b[:1])
    return [call(name, *pair).but(twice=True) for pair in pairs]


def every_dtype(name):
    """A function of two operands of all kinds of dtypes, and of Python's numbers."""
    kinds = numbers(3, low=1), integers(3, low=1), booleans(3), integers(3, low=1).astype(np.uint8)
    whole = numbers(3, low=1), integers(3, low=1, seed=1), np.ones(3, bool), integers(3, low=1, seed=2).astype(np.uint8)
    pairs = [(a, b) for a in kinds for b in (*whole, 2, 1.5)]
    return [call(name, *pair).but(smooth=False) for pair in [*pairs, (2, kinds[0]), (1.5, kinds[1])]]


def between(names, low, high):
    """Functions with the bounds of the numbers on which they are smooth."""
    return dict.fromkeys(names.split(), (low, high))


SMOOTH = {
    **between("square exp exp2 expm1 sin cos arctan sinh cosh tanh arcsinh deg2rad rad2deg", -2, 2),
    **between("sinc erf erfc i0 negative absolute abs fabs real conj", -2, 2),
    **between("sqrt rsqrt cbrt reciprocal log log10 log1p log2", 0.3, 2),
    **between("arcsin arccos arctanh erfinv", -0.8, 0.8),
    **{"tan": (-1.2, 1.2), "arccosh": (1.2, 3)},
}
STEPS = words(
    "ceil floor trunc sign signbit round isfinite isinf isnan isneginf isposinf isreal logical_not angle imag"
)
OF_TWO = {
    **between("add subtract multiply maximum minimum fmax fmin logaddexp logaddexp2 arctan2 hypot", -2, 2),
    **between("divide true_divide divide_no_nan power mod fmod", 0.4, 2),
}
COMPARISONS = words("equal not_equal greater greater_equal less less_equal logical_and logical_or logical_xor")
BITS = words("bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift bitwise_right_shift gcd lcm")
OF_FLOATS = "imag", "angle", "erf", "rsqrt"
UNLIKE = "logaddexp", "logaddexp2", "hypot", "mod", "power"
"""Functions whose gradients at infinite numbers are other than JAX's."""
PAIRS = np.meshgrid(ODD, ODD)

CASES = [case for name, (low, high) in SMOOTH.items() for case in of_one(name, low, high)]
CASES += [call(name, numbers(3, 2)) for name in STEPS]
CASES += [case for name, (low, high) in OF_TWO.items() for case in of_two(name, low, high)]
CASES += [call(name, ODD).but(smooth=False) for name in [*SMOOTH, *STEPS] if name not in ("angle", "i0")]
CASES += [call(name, integers(3, low=0, high=2)) for name in [*SMOOTH, *STEPS] if name not in OF_FLOATS]
CASES += [call(name, *PAIRS).but(smooth=False) for name in [*OF_TWO, *COMPARISONS] if name not in UNLIKE]
CASES += [case for name in ("add", "multiply", "divide", "power", "maximum", "mod") for case in every_dtype(name)]
CASES += [call(name, integers(3), integers(3, low=1, seed=1)) for name in [*COMPARISONS, "floor_divide", "mod", "fmax"]]
CASES += [call(name, integers(4, low=0), integers(4, low=1, seed=1)) for name in BITS]
CASES += [call(name, integers(4)) for name in ("bitwise_not", "bitwise_invert", "negative", "absolute", "round")]
CASES += [
    call("floor_divide", numbers(3, 2), numbers(3, 2, low=0.5, seed=1)),
    *(call("power", numbers(3, 2), n) for n in (0, 1, 2, 3, -1)),
    *(call("power", np.array([0.0, -0.0, 1.0], np.float32), n).but(smooth=False) for n in (0, 1, 2, 0.5)),
    call("nextafter", numbers(3), numbers(3, seed=1)).but(tolerance=0.0, smooth=False),
    call("ldexp", numbers(3, 2), integers(3, 2)).but(twice=True),
    call("logaddexp", np.array([-INF, 1.0], np.float32), np.array([0.0, -INF], np.float32)).but(smooth=False),
    call("power", np.abs(PAIRS[0][1:-2, 1:-2]), np.float32(0.5) + PAIRS[1][1:-2, 1:-2]).but(smooth=False),
    call("heaviside", PAIRS[0][:, :-1], PAIRS[1][:, :-1]).but(smooth=False),
    call("heaviside", numbers(3, 2), numbers(3, 2, seed=1)),
    call("erfinv", np.array([-1.0, 1.0, 2.0, 0.999999, -1e-8], np.float32)).but(smooth=False),
    call("erf", numbers(50, low=-6, high=6)),
    call("erfc", numbers(50, low=-3, high=9)).but(tolerance=1e-6),
    call("clip", numbers(4, 3), -0.5, 0.7).but(twice=True),
    call("clip", np.array([-1.0, -0.5, 0.0, 0.7, 2.0], np.float32), -0.5, 0.7).but(smooth=False),
    call("clip", integers(4), 0, 2),
    call("clip", numbers(4, 3), numbers(3, low=-1, high=0), numbers(4, 3, low=0.5, seed=2)),
    call("nan_to_num", ODD).but(smooth=False),
    call("nan_to_num", ODD, nan=3.0, posinf=1.0, neginf=-1.0).but(smooth=False),
    call("round", numbers(3, 2), decimals=1).but(smooth=False),
    call("isclose", numbers(3), numbers(3) + np.float32(1e-6)),
    call("isclose", ODD, ODD, equal_nan=True),
    call("allclose", numbers(3), numbers(3)),
    call("isin", integers(6), [1, 2]),
    call("isin", integers(6), [1, 2], invert=True),
    *(
        call(name, np.array([1 + 2j, -3j, 0.5], np.complex64))
        for name in ("real", "imag", "conj", "conjugate", "isreal")
    ),
]
