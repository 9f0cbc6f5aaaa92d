"""Cases of functions of each entry."""

import numpy as np

from op_cases import call, numbers


def of_one(name, low=-2.0, high=2.0):
    """A function of each entry of one array: of two axes, of none, and of no entries."""
    shapes = (3, 2), (), (0, 2)
    return [call(name, np.asarray(numbers(*shape, low=low, high=high))).but(twice=True) for shape in shapes]


def of_two(name, low=-2.0, high=2.0):
    """A function of matching entries of two arrays: of one shape, broadcast, and with a number."""
    a, b = numbers(4, 3, low=low, high=high), numbers(4, 3, low=low, high=high, seed=1)
    pairs = (
        (a, b),
        (a, b[0]),
        (a[:1], b),
        (a[:, :1], b[0]),
        (a, b[0, 0].copy() * np.ones((), "float32")),
        (a[:0], b[:1]),
    )
    return [call(name, *pair).but(twice=True) for pair in pairs]


CASES = [*of_one("tanh"), *of_one("exp"), *of_one("log", 0.2), *of_one("square")]
CASES += [case for name in ("add", "subtract", "multiply", "divide") for case in of_two(name)]
