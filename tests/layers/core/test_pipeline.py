"""Pipeline: its mode, its masks, its dtype, what it refuses; the contract has its numbers."""

import numpy as np
import pytest

from distnet import Input, Model, layers, models, ops
from distnet.errors import ArgumentError


class Shift(layers.Layer):
    """Adds 1 in training mode; takes a mask."""

    def call(self, inputs, training=None, mask=None):
        shifted = inputs + (1.0 if training else 0.0)
        return shifted if mask is None else shifted * ops.cast(mask, "float32")


def test_it_trains_unless_told_otherwise():
    pipeline, x = layers.Pipeline([Shift(), Shift()]), np.zeros((2, 3), "float32")
    assert (pipeline(x) == 2).all()
    assert (pipeline(x, training=False) == 0).all()


@pytest.mark.parametrize("given", [{}, {"training": True}])
def test_the_mode_of_predict_comes_first_as_in_keras(given):
    x = Input((3,))
    model = Model(x, layers.Pipeline([Shift()])(x, **given))
    assert (model.predict(np.zeros((2, 3)), verbose=0) == 0).all()
    assert (model(np.zeros((2, 3))) == 1).all()


def test_a_mask_goes_to_the_first_layer_that_takes_it():
    mask = np.array([[True, False, True]])
    made = layers.Pipeline([Shift(), layers.Rescaling(2.0)])(np.ones((1, 3), "float32"), mask=mask)
    np.testing.assert_array_equal(made, [[4, 0, 4]])
    made = layers.Pipeline([layers.Rescaling(2.0), Shift()])(np.ones((1, 3), "float32"), mask=mask)
    np.testing.assert_array_equal(made, [[3, 3, 3]])


def test_it_changes_images_with_their_boxes():
    boxes = {"boxes": np.float32([[[0, 0, 2, 4]]]), "labels": np.int32([[3]])}
    pipeline = layers.Pipeline([layers.Rescaling(2.0), layers.Resizing(4, 4)])
    assert pipeline(np.ones((1, 8, 8, 3), "float32")).shape == (1, 4, 4, 3)
    turned = layers.Pipeline([layers.Resizing(4, 4, bounding_box_format="xyxy")])
    made = turned({"images": np.ones((1, 8, 8, 3), "float32"), "bounding_boxes": boxes})
    np.testing.assert_array_equal(made["bounding_boxes"]["boxes"], [[[0, 0, 1, 2]]])


def test_its_dtype_is_that_of_the_layers_also_when_loaded(tmp_path):
    pipeline = layers.Pipeline([layers.Dense(2, dtype="float64"), layers.Dropout(0.5, dtype="float64")], "both")
    model = models.Sequential([Input((3,), dtype="float64"), pipeline])
    assert pipeline.get_config().keys() == {"name", "layers"}
    model.save(tmp_path / "model.keras")
    loaded = models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(2, 3))
    made = loaded.predict(x, verbose=0)
    assert made.dtype == np.float64
    np.testing.assert_array_equal(made, model.predict(x, verbose=0))


def test_layers_of_two_dtypes_and_no_layers_are_refused():
    both = [layers.Dense(2, dtype="float64"), layers.Dense(2, dtype="float32")]
    with pytest.raises(ArgumentError, match="here: expected layers of dtype float64, received some of .*float32"):
        layers.Pipeline(both, name="here")
    for nothing in ([], "dense", 3, None):
        with pytest.raises(ArgumentError, match="here: layers: expected a list of layers, received"):
            layers.Pipeline(nothing, name="here")
