import numpy as np
import pytest

from distnet import errors, layers
from distnet.models import Sequential


def test_reshape_infers_one_extent():
    assert layers.Reshape((-1, 2)).compute_output_shape((None, 3, 4)) == (None, 6, 2)


@pytest.mark.parametrize("target", [(0,), (-2, 3), (-1, -1)])
def test_reshape_refuses_what_is_no_shape(target):
    with pytest.raises(errors.ArgumentError, match="target_shape"):
        layers.Reshape(target)


@pytest.mark.parametrize("target", [(5,), (-1, 5), (3, 5)])
def test_reshape_refuses_rows_of_another_size(target):
    with pytest.raises(errors.ShapeError, match="12 entries and cannot take"):
        Sequential([layers.Input(shape=(3, 4)), layers.Reshape(target)])


def test_flatten_is_row_major():
    model = Sequential([layers.Input(shape=(2, 3)), layers.Flatten()])
    x = np.arange(12.0, dtype="float32").reshape(2, 2, 3)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x.reshape(2, 6))


def test_flatten_takes_the_channels_as_the_last_axis():
    x = np.arange(12.0, dtype="float32").reshape(1, 2, 3, 2)
    y = layers.Flatten(data_format="channels_first")(x)
    np.testing.assert_array_equal(y, x.transpose(0, 2, 3, 1).reshape(1, 12))
