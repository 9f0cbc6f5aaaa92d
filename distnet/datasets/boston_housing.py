"""Prices of houses in the suburbs of Boston in the late 1970s.

One of its 13 columns, "B", assumes that people wish to live apart by race: use the dataset to show such faults,
and another one, such as california_housing, for everything else.

Source: Harrison, Rubinfeld, J. Environ. Econ. Manag. 5 (1978); the file is the one Keras downloads.
"""

from __future__ import annotations

from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.datasets.npz import read_numbers
from distnet.datasets.word_numbers import shuffled
from distnet.errors import ArgumentError
from distnet.types import Array

REMOTE = RemoteFile(
    dataset="boston_housing",
    url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/boston_housing.npz",
    checksum="f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)


def load_data(
    path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """506 rows of 13 numbers and the median price of a house in thousands of dollars.

    Shapes:
        ((404, 13) float64, (404,) float64), ((102, 13) float64, (102,) float64)

    Args:
        path: name of the file in the cache, or an absolute path where it is kept.
        test_split: fraction of the rows held out for the test, in [0, 1): the last ones.
        seed: of the shuffling.

    Raises:
        ArgumentError: ``test_split`` is out of range.
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.boston_housing.load_data``.
    """
    if not 0 <= test_split < 1:
        raise ArgumentError(f"boston_housing: expected test_split in [0, 1), received {test_split!r}.")
    arrays = on_one_rank_only(lambda: read_numbers(locate(REMOTE, path), [("x", "y")]))
    x, y = shuffled(arrays["x"], arrays["y"], seed)
    at = int(len(x) * (1 - test_split))
    return (x[:at].copy(), y[:at].copy()), (x[at:].copy(), y[at:].copy())
