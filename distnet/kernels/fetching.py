"""Lines of the cache, asked for before they are needed: a core that first needs them waits for each.

What one rank wrote comes from another core's cache, and what is written has to be taken from it: the CPU sees neither
coming. What lies far apart, or comes between much other work, it does not see coming either.
"""

from __future__ import annotations

from distnet.kernels import vector_code
from distnet.kernels.compiling import compiled
from distnet.kernels.vector_code import at, fetch_line, fetch_line_to_write
from distnet.types import Array

_LINE_BYTES = 64


def _fetch(a: Array, first: int, stop: int) -> None:
    """Ask for the lines with these entries of a contiguous array, as far as it has them."""
    for i in range(first, min(stop, a.size), _LINE_BYTES // a.itemsize):
        fetch_line(at(a, i))


def _fetch_to_write(a: Array, first: int, stop: int) -> None:
    """As ``fetch``, for entries that are then written."""
    for i in range(first, min(stop, a.size), _LINE_BYTES // a.itemsize):
        fetch_line_to_write(at(a, i))


fetch = compiled(_fetch, vector_code.__file__)
fetch_to_write = compiled(_fetch_to_write, vector_code.__file__)
