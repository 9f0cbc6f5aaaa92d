from __future__ import annotations

import io

import numpy as np
import pytest

from distnet.datasets import boston_housing
from distnet.errors import ArgumentError, DatasetError

X, Y = np.arange(20.0).reshape(10, 2), np.arange(10.0)


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.fixture
def serve(server, monkeypatch):
    return lambda **arrays: monkeypatch.setattr(boston_housing, "REMOTE", server.hand_out("b.npz", npz(**arrays)))


def test_the_rows_are_shuffled_as_in_keras_and_divided(serve, home):
    serve(x=X, y=Y)
    (x_train, y_train), (x_test, y_test) = boston_housing.load_data(path=str(home / "kept.npz"))
    order = np.arange(10)
    np.random.RandomState(113).shuffle(order)
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), X[order])
    np.testing.assert_array_equal(np.concatenate([y_train, y_test]), Y[order])
    assert (len(x_train), len(x_test)) == (8, 2)
    assert (home / "kept.npz").is_file()


def test_everything_may_be_for_training(serve):
    serve(x=X, y=Y)
    (x_train, _), (x_test, _) = boston_housing.load_data(test_split=0)
    assert (x_train.shape, x_test.shape) == ((10, 2), (0, 2))


def test_a_split_of_everything_is_refused():
    with pytest.raises(ArgumentError, match=r"test_split in \[0, 1\), received 1"):
        boston_housing.load_data(test_split=1)


@pytest.mark.parametrize("arrays", [{"x": X, "y": Y[:3]}, {"x": X}, {"x": X, "y": np.array([{}] * 10, object)}])
def test_an_archive_of_something_else_is_refused(serve, arrays):
    serve(**arrays)
    with pytest.raises(DatasetError, match=r"boston_housing\.npz: expected"):
        boston_housing.load_data()
