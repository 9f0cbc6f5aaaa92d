"""``MaxNumBoundingBoxes``: by hand and in models, with fewer and more boxes than it keeps."""

import numpy as np
import pytest

from distnet import Input, Model, layers

RNG = np.random.default_rng(2)
IMAGES = RNG.integers(0, 256, (3, 4, 5, 3), dtype="uint8")


def boxes_of(count):
    return {
        "boxes": RNG.uniform(0, 4, (3, count, 4)).astype("float32"),
        "labels": RNG.integers(0, 9, (3, count)).astype("int32"),
    }


@pytest.mark.parametrize("count", [0, 2, 3, 7])
@pytest.mark.parametrize("fill", [-1, 5])
def test_each_image_has_as_many_boxes(count, fill):
    layer = layers.MaxNumBoundingBoxes(3, fill_value=fill, bounding_box_format="xyxy")
    given = boxes_of(count)
    made = layer({"images": IMAGES, "bounding_boxes": given, "segmentation_masks": IMAGES[..., :1]})
    for key in ("boxes", "labels"):
        part = made["bounding_boxes"][key]
        assert part.shape == (3, 3, *given[key].shape[2:])
        assert part.dtype == given[key].dtype
        np.testing.assert_array_equal(part[:, :count], given[key][:, :3])
        assert (np.asarray(part[:, count:]) == fill).all()
    np.testing.assert_array_equal(made["images"], IMAGES)
    assert made["images"].dtype == made["segmentation_masks"].dtype == np.uint8
    np.testing.assert_array_equal(made["segmentation_masks"], IMAGES[..., :1])


def test_training_or_not_and_without_a_transformation_it_does_the_same():
    layer = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    given = boxes_of(5)
    by_hand = layer.transform_bounding_boxes(given, None, training=False)
    np.testing.assert_array_equal(by_hand["boxes"], given["boxes"][:, :2])
    for training in (True, False):
        made = layer({"images": IMAGES, "bounding_boxes": given}, training=training)
        np.testing.assert_array_equal(made["bounding_boxes"]["labels"], given["labels"][:, :2])


def test_one_image_is_one():
    one = {key: part[0] for key, part in boxes_of(1).items()}
    made = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")({"images": IMAGES[0], "bounding_boxes": one})
    assert made["bounding_boxes"]["boxes"].shape == (2, 4)
    assert made["bounding_boxes"]["labels"].tolist() == [one["labels"][0], -1]


@pytest.mark.parametrize("count", [1, 6])
def test_in_a_model_it_does_the_same(count):
    layer = layers.MaxNumBoundingBoxes(4, bounding_box_format="xyxy")
    inputs = [Input((4, 5, 3)), Input((count, 4)), Input((count,))]
    made = layer({"images": inputs[0], "bounding_boxes": {"boxes": inputs[1], "labels": inputs[2]}})
    outputs = [made["images"], made["bounding_boxes"]["boxes"], made["bounding_boxes"]["labels"]]
    assert [tuple(y.shape[1:]) for y in outputs] == [(4, 5, 3), (4, 4), (4,)]
    given = boxes_of(count)
    predicted = Model(inputs, outputs).predict([IMAGES, given["boxes"], given["labels"]], verbose=0)
    for part, key in zip(predicted[1:], ("boxes", "labels"), strict=True):
        np.testing.assert_array_equal(part, layer.transform_bounding_boxes(given)[key])


def test_its_configuration_says_what_it_fills_with():
    config = layers.MaxNumBoundingBoxes(4, fill_value=2).get_config()
    assert layers.MaxNumBoundingBoxes.from_config(config).fill_value == 2
