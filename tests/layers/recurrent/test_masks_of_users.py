"""Masks that a user's layer gives to recurrent layers."""

import numpy as np
import pytest

from distnet import layers, ops
from distnet.errors import ShapeError
from distnet.layers import GRU, LSTM, Bidirectional, Input
from distnet.models import Sequential


class PartOfMask(layers.Layer):
    """Gives the part ``kept`` of the mask that skips steps of zeros."""

    def __init__(self, kept):
        super().__init__()
        self.kept = kept

    def call(self, x):
        return x

    def compute_mask(self, inputs, previous=None):
        return ops.any(inputs != 0, axis=-1)[self.kept]


def test_a_mask_of_a_users_layer_must_have_the_rows_and_steps_of_the_sequences():
    x, mask = np.random.default_rng(0).standard_normal((3, 4, 2)), np.array([True, False, True, True])
    x[:, ~mask] = 0
    for layer in (LSTM(3), layers.RNN(layers.LSTMCell(3)), Bidirectional(GRU(3))):

        def output(kept, layer=layer):
            return Sequential([Input(x.shape[1:]), PartOfMask(kept), layer]).predict(x, verbose=0)

        for kept in (np.s_[:2], np.s_[:, :2]):
            with pytest.raises(ShapeError, match=r"a mask with one entry a step, of shape \(N, T\) = \(3, 4\), rec"):
                output(kept)
        np.testing.assert_array_equal(output(np.s_[:1]), output(np.s_[:]))
