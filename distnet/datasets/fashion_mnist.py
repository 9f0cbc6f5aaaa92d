"""Fashion-MNIST: Zalando's pictures of clothes, in MNIST's format.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747; the files are those Keras downloads.
"""

from __future__ import annotations

from distnet.datasets.fetch import RemoteFile, locate, on_one_rank_only
from distnet.datasets.idx import read_idx
from distnet.types import Array

_FOLDER = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
REMOTES = {
    "x_train": RemoteFile(
        "fashion_mnist",
        _FOLDER + "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "y_train": RemoteFile(
        "fashion_mnist",
        _FOLDER + "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "x_test": RemoteFile(
        "fashion_mnist",
        _FOLDER + "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "y_test": RemoteFile(
        "fashion_mnist",
        _FOLDER + "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
SHAPES: dict[str, tuple[int, ...]] = {
    "x_train": (60000, 28, 28),
    "y_train": (60000,),
    "x_test": (10000, 28, 28),
    "y_test": (10000,),
}


def load_data() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """60,000 training and 10,000 test images of clothes in 10 classes, and their labels.

    Looks in ``$DISTNET_DATA/fashion_mnist``, in the caches, then downloads; every rank must call it.

    Shapes:
        ((60000, 28, 28) uint8, (60000,) uint8), ((10000, 28, 28) uint8, (10000,) uint8)

    Raises:
        DatasetError: the files are damaged, or are missing and cannot be downloaded; on every rank.

    Source: ``keras.datasets.fashion_mnist.load_data``.
    """
    arrays = on_one_rank_only(_read)
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _read() -> dict[str, Array]:
    paths = {name: locate(remote, f"fashion-mnist/{remote.name}") for name, remote in REMOTES.items()}
    return {name: read_idx(path, SHAPES[name]) for name, path in paths.items()}
