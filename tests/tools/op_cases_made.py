"""Cases of functions that make tensors of numbers, and that tell what tensors are."""

import numpy as np

from op_cases import call, numbers

X = numbers(4, 3)
WHOLE = np.arange(3, dtype=np.int32)
CASES = [
    *(call(name, shape) for name in ("zeros", "ones", "empty") for shape in ((2, 3), 3, ())),
    call("zeros", (2,), dtype="int32"),
    *(call(f"{name}_like", x) for name in ("zeros", "ones", "empty") for x in (X, WHOLE)),
    call("zeros_like", X, dtype="int32"),
    call("full", (2, 3), 2),
    call("full", (2,), 1, dtype="int32"),
    call("full_like", X, 2.5),
    call("full_like", X, numbers(3)),
    *(call("arange", *ends) for ends in ((3,), (1, 5), (1.0, 3.5), (0, 1, 0.25), (5, 1, -2))),
    call("arange", 3, dtype="float32"),
    *(call("linspace", *ends, 4) for ends in ((0, 1), (X[0], X[1]), (X[:, 0], X[:, 1]))),
    call("linspace", X[0], X[1], 4, axis=-1),
    call("linspace", 0.0, 1.0, 4, endpoint=False),
    call("linspace", 0.0, 1.0, 4, retstep=True),
    call("linspace", 0, 10, 5, dtype="int32"),
    call("logspace", X[0], X[1], 4, base=2.0),
    *(call("eye", *sizes) for sizes in ((3,), (2, 3))),
    call("eye", 3, k=1, dtype="int32"),
    call("identity", 3),
    call("tri", 2, 4, 1),
    call("vander", X[0]),
    call("vander", X[0], 4, increasing=True),
    *(call(name, size) for name in ("bartlett", "blackman", "hamming", "hanning") for size in (1, 5)),
    call("kaiser", 5, 14.0),
    *(call("convert_to_tensor", value) for value in (1, 1.5, [1, 2], [1.5, 2], True, WHOLE, [[1, 2.5]], [X, X])),
    *(call("array", value) for value in (1, [1.5, 2], X)),
    call("copy", X),
    call("cast", X, "int32"),
    call("cast", WHOLE, "float32"),
    call("saturate_cast", np.array([300.0, -5, 1.7], np.float32), "uint8"),
    call("saturate_cast", np.array([300, -5], np.int32), "int8"),
    call("stop_gradient", X).but(smooth=False),
    call("view", WHOLE, "int8"),
    call("view", X),
    call("view_as_real", np.array([1 + 2j, 3 - 1j], np.complex64)),
]
