"""Cases of functions that reduce, sort and count."""

import numpy as np

from op_cases import call, numbers

X = numbers(4, 3)
CASES = [
    case
    for name in ("sum", "mean")
    for case in (
        *(call(name, X, axis=axis) for axis in (None, 0, 1, -1, (0, 1))),
        call(name, X, axis=0, keepdims=True),
        call(name, numbers(2, 3, 4), axis=(-1, 0)),
        call(name, np.float32(2.0) * np.ones((), "float32")),
        call(name, numbers(3, 0), axis=0),
    )
]
