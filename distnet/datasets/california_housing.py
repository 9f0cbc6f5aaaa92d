"""Prices of houses in districts of California in 1990.

Source: Pace, Barry, "Sparse spatial autoregressions", Statistics & Probability Letters 33 (1997); the file is the one
Keras downloads.
"""

from __future__ import annotations

from distnet.arguments import check_option
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.datasets.npz import read_numbers
from distnet.datasets.word_numbers import shuffled
from distnet.errors import ArgumentError
from distnet.types import Array

REMOTE = RemoteFile(
    dataset="california_housing",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/california_housing.npz",
    checksum="1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)
_ROWS_OF_THE_SMALL_ONE = 600


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """20,640 districts, 8 numbers of each, and the median price of a house in dollars.

    Shapes:
        ((16512, 8), (16512,)), ((4128, 8), (4128,)); of the small version ((480, 8), (480,)), ((120, 8), (120,)).

    Args:
        version: ``"large"``, or ``"small"`` for the first 600 districts.
        path: name of the file in the cache, or an absolute path where it is kept.
        test_split: fraction of the rows held out for the test, in [0, 1): the last ones.
        seed: of the shuffling.

    Raises:
        ArgumentError: ``version`` is unknown, or ``test_split`` out of range.
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.california_housing.load_data``.
    """
    check_option("california_housing: version", version, ("small", "large"))
    if not 0 <= test_split < 1:
        raise ArgumentError(f"california_housing: expected test_split in [0, 1), received {test_split!r}.")
    arrays = on_one_rank_only(lambda: read_numbers(locate(REMOTE, path), [("x", "y")]))
    rows = slice(0, _ROWS_OF_THE_SMALL_ONE if version == "small" else None)
    x, y = shuffled(arrays["x"][rows], arrays["y"][rows], seed)
    at = int(len(x) * (1 - test_split))
    return (x[:at].copy(), y[:at].copy()), (x[at:].copy(), y[at:].copy())
