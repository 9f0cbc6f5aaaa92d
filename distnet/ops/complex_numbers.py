"""Parts and angles of complex numbers, entry by entry.

Gradients by complex numbers are those of JAX: of ``a + b i``, that by a minus i times that by b.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from distnet.ops.each_entry import curve, of_one
from distnet.ops.operators import PRIMITIVES

real = of_one(__name__, "real", np.real, None, "The real part.")
imag = of_one(__name__, "imag", np.imag, None, "The imaginary part.")
conj = of_one(__name__, "conj", np.conj, None, "The number with the opposite imaginary part.")
conjugate = of_one(__name__, "conjugate", np.conj, None, "The number with the opposite imaginary part.")
angle = curve(__name__, "angle", np.angle, None, "The angle in radians.")

real.has_gradients(lambda dy, y, x: dy)
imag.has_gradients(lambda dy, y, x: -1j * dy if x.dtype.kind == "c" else dy * 0)
for _conjugate in (conj, conjugate):
    _conjugate.has_gradients(lambda dy, y, x: PRIMITIVES["Conj"](dy))


def _of_angle(dy: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return dy * 0
    return dy * PRIMITIVES["Conj"](x * 1j) / PRIMITIVES["Square"](PRIMITIVES["Absolute"](x))


angle.has_gradients(_of_angle)
