"""One image (H, W, C) instead of a batch of images."""

import numpy as np
import pytest

from distnet import Input, layers
from distnet.errors import ShapeError

IMAGE = np.random.default_rng(0).random((6, 8, 3)).astype("float32")
LAYERS = {
    "resizing": lambda: layers.Resizing(3, 5),
    "resizing, cropped": lambda: layers.Resizing(3, 5, crop_to_aspect_ratio=True),
    "centre": lambda: layers.CenterCrop(4, 4),
    "crop": lambda: layers.RandomCrop(4, 4, seed=1),
    "flip": lambda: layers.RandomFlip(seed=1),
    "rotation": lambda: layers.RandomRotation(0.1, seed=1),
    "zoom": lambda: layers.RandomZoom(0.1, seed=1),
    "translation": lambda: layers.RandomTranslation(0.1, 0.1, seed=1),
    "contrast": lambda: layers.RandomContrast(0.1, seed=1),
    "brightness": lambda: layers.RandomBrightness(0.1, seed=1),
}


@pytest.mark.parametrize("name", LAYERS)
def test_one_image_is_a_batch_of_one(name):
    layer = LAYERS[name]()
    one = layer(IMAGE, training=False)
    np.testing.assert_array_equal(one, layer(IMAGE[None], training=False)[0])
    assert layer.compute_output_shape((6, 8, 3)) == one.shape == layer(IMAGE, training=True).shape


def test_one_image_is_flipped_as_one():
    layer = layers.RandomFlip("vertical")
    for _ in range(8):
        flipped = np.asarray(layer(IMAGE, training=True))
        assert any(np.array_equal(flipped, wanted) for wanted in (IMAGE, IMAGE[::-1]))


def test_what_belongs_to_one_image_changes_as_in_a_batch_of_one():
    layer = layers.RandomFlip("horizontal", seed=3, bounding_box_format="xyxy")
    drawn = {"flips": np.array([True])[:, None, None, None], "input_shape": (1, 6, 8, 3)}
    boxes = {"boxes": np.float32([[1, 2, 4, 5]]), "labels": np.int32([7])}
    np.testing.assert_array_equal(layer.transform_single_image(IMAGE, drawn), IMAGE[:, ::-1])
    np.testing.assert_array_equal(layer.transform_single_segmentation_mask(IMAGE, drawn), IMAGE[:, ::-1])
    np.testing.assert_array_equal(layer.transform_single_bounding_box(boxes, drawn)["boxes"], [[4, 2, 7, 5]])
    np.testing.assert_array_equal(layer.transform_single_bounding_box(boxes, drawn)["labels"], [7])
    assert layer.transform_single_label(3, drawn) == 3


def test_in_a_model_rows_have_a_batch_axis():
    with pytest.raises(ShapeError, match="batch, height, width, channels"):
        layers.Resizing(3, 5)(Input((8, 3)))
