"""``keras.ops`` on arrays: numbers of real Keras 3.15 where NumPy does not say them already."""

import types

import numpy as np
import pytest

from distnet import ops


def test_every_name_is_there():
    names = [name for name in dir(ops) if name.islower() and name not in ("annotations", "activations", "np")]
    values = [getattr(ops, name) for name in names if not name.startswith("_")]
    assert [value for value in values if not callable(value) and not isinstance(value, types.ModuleType)] == []
    assert len(names) > 337
    assert ops.softmax([0.0, 0.0]).tolist() == [0.5, 0.5]
    with pytest.raises(AttributeError, match=r"distnet\.ops.*no_such"):
        _ = ops.no_such


def test_one_hot_gives_zeros_out_of_range_and_puts_the_axis_where_told():
    assert ops.one_hot([0, 2, -1, 3], 3).tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]]
    assert ops.one_hot(np.array([[1], [0]]), 2, axis=0).shape == (2, 2, 1)
    assert ops.one_hot([1], 2).dtype == np.float32


def test_the_others():
    assert ops.cast([1.7], "int32").tolist() == [1]
    assert ops.convert_to_tensor([1, 2], "float64").dtype == np.float64
    assert ops.convert_to_numpy([1, 2]).shape == (2,)
    assert ops.divide_no_nan([1.0, 2.0], [0.0, 4.0]).tolist() == [0.0, 0.5]
    assert ops.rsqrt(4.0) == 0.5
    assert ops.norm([3.0, 4.0]) == 5.0
    assert ops.logsumexp([1000.0, 1000.0]) == pytest.approx(1000.6931471805599)
    assert ops.logsumexp(np.zeros((2, 3)), axis=1, keepdims=True).shape == (2, 1)


def test_nan_to_num_takes_its_number_second_as_keras_does():
    np.testing.assert_array_equal(ops.nan_to_num(np.array([np.nan, 2.0]), 7.0), [7.0, 2.0])
