from __future__ import annotations

import datetime
import io
import os
import pickle

import numpy as np
import pytest

from distnet.datasets.pickles import read_pickle

BY_PYTHON_2 = (
    b"\x80\x02}q\x01U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b"
    b"q\x05\x87R(K\x01K\x03\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff"
    b"\xff\xffK\x00tb\x89U\x03\x01\x02\x03tbs."
)
"""A dict of an array, written with protocol 2."""


class Runs:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_plain_data_and_arrays_are_read():
    data = {"data": np.arange(6, dtype=np.uint8).reshape(2, 3), b"labels": [1, 2], "text": ("a", 1.5, None, True)}
    loaded = read_pickle(io.BytesIO(pickle.dumps(data)))
    np.testing.assert_array_equal(loaded.pop("data"), data.pop("data"))
    assert loaded == data


def test_an_array_pickled_by_python_2_is_read():
    loaded = read_pickle(io.BytesIO(BY_PYTHON_2))
    np.testing.assert_array_equal(loaded[b"data"], np.array([1, 2, 3], np.uint8))


@pytest.mark.parametrize(
    ("value", "name"),
    [(Runs(), "posix.system"), (eval, "builtins.eval"), (datetime.date(2000, 1, 1), "datetime.date")],
    ids=["a call", "a function", "a class"],
)
def test_nothing_else_is_reached(value, name):
    with pytest.raises(pickle.UnpicklingError, match=f"asks for {name}, which no dataset needs"):
        read_pickle(io.BytesIO(pickle.dumps([value])))
