"""CIFAR-10: small colour photographs of 10 kinds of things.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009; the file Keras downloads.
"""

from __future__ import annotations

from distnet.datasets.cifar import joined, read_parts
from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.types import Array

REMOTE = RemoteFile(
    dataset="cifar10",
    url="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
    checksum="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
IMAGES_PER_PART = 10000


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """50,000 training and 10,000 test images in 10 classes, and their labels.

    Looks in ``$DISTNET_DATA/cifar10``, in the caches, then downloads; every rank must call it.

    Shapes:
        ((50000, 32, 32, 3) uint8, (50000, 1) uint8), ((10000, 32, 32, 3) uint8, (10000, 1) uint8)

    Raises:
        DatasetError: the file is damaged, or is missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.cifar10.load_data``.
    """
    return on_one_rank_only(_read)


def _read() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    train = [f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)]
    test = "cifar-10-batches-py/test_batch"
    parts = read_parts(locate(REMOTE), dict.fromkeys([*train, test], IMAGES_PER_PART), "labels")
    return joined([parts[name] for name in train]), parts[test]
