"""CIFAR-100: small colour photographs of 100 kinds of things, in 20 groups.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; the file Keras downloads.
"""

from __future__ import annotations

from distnet.datasets.cifar import read_parts
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.errors import ArgumentError
from distnet.types import Array

REMOTE = RemoteFile(
    dataset="cifar100",
    url="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
    checksum="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
)
PARTS = {"cifar-100-python/train": 50000, "cifar-100-python/test": 10000}


def load_data(label_mode: str = "fine") -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """50,000 training and 10,000 test images, and their labels.

    Looks in ``$DISTNET_DATA/cifar100``, in the caches, then downloads; every rank must call it.

    Shapes:
        ((50000, 32, 32, 3) uint8, (50000, 1) uint8), ((10000, 32, 32, 3) uint8, (10000, 1) uint8)

    Args:
        label_mode: ``"fine"`` for the 100 classes, ``"coarse"`` for the 20 groups.

    Raises:
        ArgumentError: ``label_mode`` is neither.
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.cifar100.load_data``.
    """
    if label_mode not in ("fine", "coarse"):
        raise ArgumentError(f"cifar100: expected label_mode 'fine' or 'coarse', received {label_mode!r}.")
    parts = on_one_rank_only(lambda: read_parts(locate(REMOTE), PARTS, f"{label_mode}_labels"))
    train, test = (parts[name] for name in PARTS)
    return train, test
