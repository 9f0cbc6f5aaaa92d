"""A weight that is frozen by itself stays where it was among its layer's weights, as in Keras 3."""

import numpy as np
import pytest

import distnet
from distnet import layers


def network():
    distnet.utils.clear_session()
    inner = distnet.Sequential([layers.Input((4,)), layers.Dense(4, name="inner"), layers.BatchNormalization()])
    return distnet.Sequential(
        [layers.Input((4, 4)), layers.TimeDistributed(inner), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)]
    )


def freeze_half(model):
    for weight in model.weights[::2]:
        weight.trainable = False


def test_frozen_weights_stay_where_they_are():
    model = network()
    before, shapes = model.get_weights(), [layer.get_weights() for layer in model.layers]
    freeze_half(model)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    for layer, own in zip(model.layers, shapes, strict=True):
        assert [w.shape for w in layer.get_weights()] == [w.shape for w in own]
    assert len(model.trainable_weights) + len(model.non_trainable_weights) == len(before)


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".keras"])
def test_files_have_frozen_weights_where_they_were(tmp_path, ending):
    model, other, path = network(), network(), tmp_path / f"model{ending}"
    freeze_half(model)
    if ending == ".weights.h5":
        model.save_weights(path)
        other.load_weights(path)
    else:
        model.save(path)
        other = distnet.models.load_model(path)
    for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_layer_lists_what_it_trains_without_frozen_weights():
    dense = layers.Dense(3)
    dense.build((None, 2))
    dense.kernel.trainable = False
    assert dense.weights == [dense.kernel, dense.bias]
    assert dense.trainable_weights == [dense.bias]
    assert dense.non_trainable_weights == [dense.kernel]
