from __future__ import annotations

import io
import os
import pickle
import tarfile

import numpy as np
import pytest

from distnet import config
from distnet.datasets import cifar10, cifar100
from distnet.errors import ArgumentError, DatasetError


def archive(parts: dict[str, object]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, part in parts.items():
            content = pickle.dumps(part, protocol=4)
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def part(seed: int, images: int = 2, **labels: list[int]) -> dict[bytes, object]:
    data = np.random.default_rng(seed).integers(0, 256, (images, 3072), dtype=np.uint8)
    return {b"data": data} | {key.encode(): value for key, value in labels.items()}


TEN = {f"cifar-10-batches-py/data_batch_{i}": part(i, labels=[i, i + 1]) for i in (3, 1, 2, 5, 4)}
TEN |= {"cifar-10-batches-py/test_batch": part(9, labels=[7, 8]), "cifar-10-batches-py/readme.html": "no images"}
HUNDRED = {
    "cifar-100-python/train": part(1, 3, fine_labels=[99, 1, 2], coarse_labels=[19, 0, 1]),
    "cifar-100-python/test": part(2, 2, fine_labels=[5, 6], coarse_labels=[3, 4]),
}


@pytest.fixture
def ten(server, monkeypatch):
    def serve(content: bytes) -> None:
        monkeypatch.setattr(cifar10, "REMOTE", server.hand_out("cifar-10-python.tar.gz", content))

    monkeypatch.setattr(cifar10, "IMAGES_PER_PART", 2)
    serve(archive(TEN))
    return serve


def images_of(part) -> np.ndarray:
    return part[b"data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def test_cifar10_has_its_channels_where_the_settings_say(ten, server, home):
    (last, _), _ = cifar10.load_data()
    config.set_image_data_format("channels_first")
    try:
        (first, _), _ = cifar10.load_data()
    finally:
        config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(first, last.transpose(0, 3, 1, 2))


def test_cifar10_is_downloaded_once_and_joined_in_order(ten, server, home):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    cifar10.load_data()
    expected = [images_of(TEN[f"cifar-10-batches-py/data_batch_{i}"]) for i in range(1, 6)]
    np.testing.assert_array_equal(x_train, np.concatenate(expected))
    np.testing.assert_array_equal(y_train.ravel(), [1, 2, 2, 3, 3, 4, 4, 5, 5, 6])
    np.testing.assert_array_equal(x_test, images_of(TEN["cifar-10-batches-py/test_batch"]))
    assert (x_train.shape, y_train.shape, y_test.tolist()) == ((10, 32, 32, 3), (10, 1), [[7], [8]])
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype(np.uint8)}
    assert server.requests == ["/cifar-10-python.tar.gz"]
    assert (home / ".cache" / "distnet" / "datasets" / "cifar-10-python.tar.gz").is_file()


@pytest.mark.parametrize(("mode", "labels"), [("fine", [99, 1, 2]), ("coarse", [19, 0, 1])])
def test_cifar100_has_labels_of_both_kinds(server, monkeypatch, mode, labels):
    monkeypatch.setattr(cifar100, "PARTS", {"cifar-100-python/train": 3, "cifar-100-python/test": 2})
    monkeypatch.setattr(cifar100, "REMOTE", server.hand_out("cifar-100-python.tar.gz", archive(HUNDRED)))
    (x_train, y_train), (x_test, y_test) = cifar100.load_data(label_mode=mode)
    np.testing.assert_array_equal(x_train, images_of(HUNDRED["cifar-100-python/train"]))
    assert y_train.ravel().tolist() == labels
    assert (x_test.shape, y_test.shape) == ((2, 32, 32, 3), (2, 1))


def test_cifar100_names_the_labels_it_has():
    with pytest.raises(ArgumentError, match="label_mode 'fine' or 'coarse', received 'both'"):
        cifar100.load_data("both")


class Runs:
    def __reduce__(self):
        return os.system, ("exit 1",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive({**TEN, "cifar-10-batches-py/data_batch_2": Runs()}), "asks for posix.system"),
        (
            archive({**TEN, "cifar-10-batches-py/data_batch_2": part(1, 3, labels=[1, 2])}),
            r"expected \(2, 3072\) uint8",
        ),
        (archive({**TEN, "cifar-10-batches-py/data_batch_2": part(1, 2, labels=[1])}), "expected 2 integers as labels"),
        (archive({**TEN, "cifar-10-batches-py/data_batch_2": [1]}), "expected a dict"),
        (archive({"cifar-10-batches-py/test_batch": part(1, labels=[1, 2])}), "holds no .*data_batch_1"),
        (archive(TEN)[:-2000], "cannot be read"),
        (b"not an archive", "cannot be read"),
    ],
    ids=["runs code", "other images", "other labels", "a list", "missing parts", "truncated", "no archive"],
)
def test_an_archive_of_something_else_is_refused(ten, content, message):
    ten(content)
    with pytest.raises(DatasetError, match=message) as caught:
        cifar10.load_data()
    assert "cifar-10-python.tar.gz" in str(caught.value)


def test_a_copy_in_the_users_folder_comes_first(ten, server, home, monkeypatch):
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))
    (home / "data" / "small").mkdir(parents=True)
    (home / "data" / "small" / "cifar-10-python.tar.gz").write_bytes(archive(TEN))
    assert cifar10.load_data()[0][0].shape == (10, 32, 32, 3)
    assert server.requests == []
