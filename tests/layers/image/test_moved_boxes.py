"""Layers that move pixels move bounding boxes with them: as Keras does, and as the pixels go where Keras does not."""

import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from distnet import Input, Model, layers
from distnet.errors import ArgumentError
from distnet.layers.image.box_formats import FORMATS
from distnet.utils.bounding_boxes import convert_format

SCRIPT = Path(__file__).parents[2] / "tools" / "bounding_boxes_in_keras.py"
RNG = np.random.default_rng(5)
HEIGHT, WIDTH, ROWS = 40, 64, 6
SHAPE = (ROWS, HEIGHT, WIDTH, 3)
EXTENT = {"height": HEIGHT, "width": WIDTH}


def boxes_within(shape, count=3, least=4):
    """Whole numbers as corners of boxes, at least ``least`` wide and high, that lie within the image."""
    corners = np.empty((shape[0], count, 4), "float32")
    for axis, side in ((0, shape[2]), (1, shape[1])):
        start = RNG.integers(0, side - least, (shape[0], count))
        corners[..., axis] = start
        corners[..., axis + 2] = start + RNG.integers(least, side - start + 1)
    return {"boxes": corners, "labels": RNG.integers(0, 9, (shape[0], count)).astype("int32")}


def written(boxes, name, extent=EXTENT):
    return {key: np.asarray(part) for key, part in convert_format(boxes, "xyxy", name, **extent).items()}


KEPT = {"input_shape": SHAPE}
ANGLES = np.linspace(-170, 160, ROWS).astype("float32")
START = np.tile(np.float32([[0, 0], [63, 0], [0, 39], [63, 39]]), (ROWS, 1, 1))
END = START + RNG.uniform(-6, 6, START.shape).astype("float32")
FLIPS = np.array([True, False, True, True, False, False])[:, None, None, None]


def zooms(low, high):
    tall, wide = RNG.uniform(low, high, (2, ROWS, 1)).astype("float32")
    return {"height_zoom": tall, "width_zoom": wide, **KEPT}


def turned(angles):
    drawn = {"angle": angles, "rotation_matrix": layers.RandomRotation._turned(angles, HEIGHT, WIDTH)}
    return {**drawn, "image_height": HEIGHT, "image_width": WIDTH, "batch_size": len(angles)}


AS_KERAS = [
    *(("RandomFlip", {"mode": mode}, {"flips": FLIPS, **KEPT}) for mode in ("horizontal", "vertical")),
    ("RandomFlip", {}, {"flips": FLIPS, **KEPT}),
    (
        "RandomTranslation",
        {"height_factor": 0.5, "width_factor": 0.5},
        {"translations": RNG.uniform(-30, 30, (ROWS, 2)).astype("float32"), **KEPT},
    ),
    ("RandomZoom", {"height_factor": 0.5}, zooms(0.4, 0.9)),
    ("RandomZoom", {"height_factor": 0.5}, zooms(1.1, 1.8)),
    ("CenterCrop", {"height": 21, "width": 30}, KEPT),
    ("CenterCrop", {"height": 50, "width": 30}, KEPT),
    ("Resizing", {"height": 20, "width": 96}, (HEIGHT, WIDTH)),
    ("Resizing", {"height": 60, "width": 30, "crop_to_aspect_ratio": True}, (HEIGHT, WIDTH)),
    ("Resizing", {"height": 64, "width": 64, "pad_to_aspect_ratio": True}, (HEIGHT, WIDTH)),
    ("Resizing", {"height": 20, "width": 40, "pad_to_aspect_ratio": True}, (HEIGHT, WIDTH)),
]
"""Layers, and what was drawn, for which Keras's boxes are right in every format."""
IN_PIXELS = [
    ("RandomRotation", {"factor": 0.5}, turned(ANGLES)),
    (
        "RandomPerspective",
        {},
        {"apply_perspective": FLIPS.reshape(-1), "start_points": START, "end_points": END, **KEPT},
    ),
]
"""The same, where they are right as corners in pixels."""
CASES = [
    (name, {**options, "bounding_box_format": written_as}, written(boxes_within(SHAPE), written_as), drawn)
    for cases, formats in ((AS_KERAS, FORMATS), (IN_PIXELS, ["xyxy"]))
    for name, options, drawn in cases
    for written_as in formats
]


@pytest.fixture(scope="module")
def in_keras(keras_3, tmp_path_factory):
    cases, answers = (tmp_path_factory.mktemp("moved") / name for name in ("cases", "answers"))
    cases.write_bytes(pickle.dumps(([], CASES)))
    subprocess.run([keras_3, SCRIPT, cases, answers], check=True, timeout=240)
    return pickle.loads(answers.read_bytes())[1]


def test_boxes_move_as_in_keras(in_keras):
    for (name, options, boxes, drawn), wanted in zip(CASES, in_keras, strict=True):
        made = getattr(layers, name)(**options).transform_bounding_boxes(boxes, drawn, training=True)
        where = f"{name} {options}"
        np.testing.assert_allclose(made["boxes"], wanted["boxes"], rtol=1e-4, atol=2e-4, err_msg=where)
        np.testing.assert_array_equal(made["labels"], wanted["labels"], err_msg=where)
        assert made["boxes"].dtype == np.float32


CONSTANT = {"fill_mode": "constant"}
MOVERS = [
    ("RandomFlip", {}, 0),
    ("RandomFlip", {"mode": "horizontal"}, 0),
    ("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.3, **CONSTANT}, 0.5),
    ("RandomZoom", {"height_factor": (-0.3, 0.4), "width_factor": (-0.3, 0.4), **CONSTANT}, 1),
    ("RandomCrop", {"height": 30, "width": 41}, 0),
    ("RandomCrop", {"height": 60, "width": 41}, 1),
    ("CenterCrop", {"height": 30, "width": 41}, 0),
    ("CenterCrop", {"height": 50, "width": 30}, 1),
    ("Resizing", {"height": 33, "width": 90}, 1),
    ("Resizing", {"height": 60, "width": 30, "crop_to_aspect_ratio": True}, 1),
    ("Resizing", {"height": 64, "width": 64, "pad_to_aspect_ratio": True}, 1),
    ("RandomRotation", {"factor": 0.5, **CONSTANT}, 2.5),
    ("RandomShear", {"x_factor": 0.5, "y_factor": 0.3, **CONSTANT}, 2.5),
    ("RandomShear", {"x_factor": 0.6, **CONSTANT}, 2.5),
    ("RandomPerspective", {"scale": 0.5}, 2.5),
]
"""Layers, and how many pixels of the result a box may be off: their middles are moved, as
in Keras, and of a sharp corner the last pixels are less than half full."""


SLANTING = ("RandomRotation", "RandomShear", "RandomPerspective")


def smallest_around(corners, drawn, layer):
    """The extents of filled rectangles, one in each image, as pixels of the changed images."""
    images = np.zeros((ROWS, HEIGHT, WIDTH, 1), "float32")
    for image, (left, top, right, bottom) in zip(images, corners[:, 0].astype(int), strict=True):
        image[top:bottom, left:right] = 1
    seen = np.asarray(layer.transform_images(images, drawn))[..., 0] > 0.5
    extents = np.full((ROWS, 4), np.nan)
    for extent, image in zip(extents, seen, strict=True):
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        if len(rows):
            extent[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return extents, seen.shape[1:]


@pytest.mark.parametrize("written_as", ["xyxy", "rel_xywh", "center_yxhw"])
@pytest.mark.parametrize(("name", "options", "tolerance"), MOVERS)
def test_boxes_are_where_the_pixels_are(name, options, tolerance, written_as):
    layer = getattr(layers, name)(**options, bounding_box_format=written_as)
    compared = 0
    for seed in range(6):
        boxes = boxes_within(SHAPE, count=1, least=8)
        if name in SLANTING:
            boxes["boxes"] = boxes["boxes"] // 2 + np.float32([WIDTH, HEIGHT, WIDTH, HEIGHT]) // 4
        drawn = layer.get_random_transformation(np.zeros(SHAPE, "float32"), seed=seed)
        extents, (height, width) = smallest_around(boxes["boxes"], drawn, layer)
        made = layer.transform_bounding_boxes(written(boxes, written_as), drawn)
        corners = np.asarray(convert_format(made["boxes"], written_as, "xyxy", height, width))[:, 0]
        is_seen = ~np.isnan(extents[:, 0])
        # of a box with no pixel wholly inside in both directions, the corners are less than half full
        is_seen &= (corners[:, 2:] - corners[:, :2] >= 2).all(1)
        if name in SLANTING:  # around what is cut off from a slanted rectangle there may be a smaller box
            is_seen &= (corners > 0).all(1) & (corners < [width, height] * 2).all(1)
        np.testing.assert_allclose(corners[is_seen], extents[is_seen], rtol=0, atol=tolerance + 1e-3)
        np.testing.assert_array_equal(np.asarray(made["labels"])[is_seen], boxes["labels"][is_seen])
        compared += is_seen.sum()
    assert compared > ROWS


@pytest.mark.parametrize(("name", "options", "tolerance"), MOVERS)
def test_a_call_moves_boxes_with_its_own_images(name, options, tolerance):
    layer = getattr(layers, name)(**options, bounding_box_format="xyxy")
    boxes = boxes_within(SHAPE, count=1, least=8)
    images = np.zeros((ROWS, HEIGHT, WIDTH, 1), "float32")
    for image, (left, top, right, bottom) in zip(images, boxes["boxes"][:, 0].astype(int), strict=True):
        image[top:bottom, left:right] = 1
    made = layer({"images": images, "bounding_boxes": boxes}, training=True)
    for image, corners in zip(
        np.asarray(made["images"]), np.asarray(made["bounding_boxes"]["boxes"])[:, 0], strict=True
    ):
        rows, columns = np.nonzero(image[..., 0] > 0.5)
        for places, low, high in ((columns, corners[0], corners[2]), (rows, corners[1], corners[3])):
            assert (places >= low - tolerance - 1e-3).all()
            assert (places + 1 <= high + tolerance + 1e-3).all()


def test_boxes_that_leave_the_image_lose_their_labels():
    drawn = {"translations": np.float32([[100, 0]] * ROWS), **KEPT}
    layer = layers.RandomTranslation(0.5, 0.5, bounding_box_format="xywh")
    made = layer.transform_bounding_boxes(written(boxes_within(SHAPE), "xywh"), drawn)
    assert (np.asarray(made["labels"]) == -1).all()
    np.testing.assert_array_equal(np.asarray(made["boxes"])[..., 2], 0)


@pytest.mark.parametrize(("name", "options", "tolerance"), MOVERS)
def test_channels_that_come_first_change_nothing(name, options, tolerance):
    boxes = written(boxes_within(SHAPE), "rel_yxyx")
    last, first = (
        getattr(layers, name)(**options, bounding_box_format="rel_yxyx", data_format=where)
        for where in ("channels_last", "channels_first")
    )
    drawn = last.get_random_transformation(np.zeros(SHAPE, "float32"))
    shape = {"input_shape": (ROWS, 3, HEIGHT, WIDTH)}
    has_shape = isinstance(drawn, dict) and "input_shape" in drawn
    made = (
        last.transform_bounding_boxes(boxes, drawn)["boxes"],
        first.transform_bounding_boxes(boxes, {**drawn, **shape} if has_shape else drawn)["boxes"],
    )
    np.testing.assert_array_equal(*made)


@pytest.mark.parametrize("name", ["RandomFlip", "Resizing", "MixUp", "RandomZoom"])
def test_in_a_model_boxes_change_too(name):
    options = {"Resizing": {"height": 20, "width": 32}, "RandomZoom": {"height_factor": 0.4}}.get(name, {})
    layer = getattr(layers, name)(**options, bounding_box_format="xyxy")
    inputs = [Input((HEIGHT, WIDTH, 3)), Input((3, 4)), Input((3,))]
    made = layer({"images": inputs[0], "bounding_boxes": {"boxes": inputs[1], "labels": inputs[2]}})
    outputs = [made["images"], made["bounding_boxes"]["boxes"], made["bounding_boxes"]["labels"]]
    boxes = boxes_within(SHAPE)
    images = RNG.normal(size=SHAPE).astype("float32")
    for training in (True, False):
        results = Model(inputs, outputs)([images, boxes["boxes"], boxes["labels"].astype("float32")], training=training)
        if training or name != "MixUp":
            assert [tuple(y.shape[1:]) for y in outputs] == [y.shape[1:] for y in results]
        are_moved = not np.array_equal(results[1][:, :3], boxes["boxes"])
        assert are_moved == (name == "Resizing" or (training and name != "MixUp"))
        np.testing.assert_array_equal(results[1].shape[:2], results[2].shape)


def test_mixed_images_have_the_boxes_of_both():
    layer = layers.MixUp(bounding_box_format="xyxy")
    boxes = boxes_within(SHAPE)
    drawn = layer.get_random_transformation(np.zeros(SHAPE, "float32"))
    made = layer.transform_bounding_boxes(boxes, drawn)
    for key, part in boxes.items():
        np.testing.assert_array_equal(made[key], np.concatenate([part, part[drawn["permutation_order"]]], axis=1))


def test_a_policy_moves_boxes_by_its_changes_in_their_order():
    layer = layers.RandAugment(num_ops=2, factor=0.3, bounding_box_format="xyxy")
    boxes = boxes_within(SHAPE)
    drawn = layer.get_random_transformation(np.zeros(SHAPE, "float32"))
    drawn["layer_idxes"] = np.array([1, 0])
    first, second = (
        getattr(layers, name)(0.3, 0.3, bounding_box_format="xyxy") for name in ("RandomTranslation", "RandomShear")
    )
    moved = first.transform_bounding_boxes(boxes, drawn["transforms"]["random_translation"])
    wanted = second.transform_bounding_boxes(moved, drawn["transforms"]["random_shear"])
    made = layer.transform_bounding_boxes(boxes, drawn)
    np.testing.assert_allclose(made["boxes"], wanted["boxes"], rtol=1e-5)
    assert not np.array_equal(made["boxes"], boxes["boxes"])


def test_a_place_drawn_by_keras_crops_boxes_in_pixels():
    boxes = boxes_within(SHAPE)
    crop = layers.RandomCrop(20, 30, bounding_box_format="xyxy")
    made = np.asarray(crop.transform_bounding_boxes(boxes, (4, 9))["boxes"])
    np.testing.assert_allclose(made, np.clip(boxes["boxes"] - [9, 4, 9, 4], 0, [30, 20, 30, 20]))
    with pytest.raises(ArgumentError, match="height and width of the image"):
        layers.RandomCrop(20, 30, bounding_box_format="rel_xyxy").transform_bounding_boxes(boxes, (4, 9))


def test_a_format_that_is_none_or_is_missing_is_named():
    with pytest.raises(ArgumentError, match="here: bounding_box_format: expected .*'yxhw'"):
        layers.RandomFlip(bounding_box_format="yxhw", name="here")
    drawn = {"flips": FLIPS, **KEPT}
    with pytest.raises(ArgumentError, match="here: bounding_box_format: expected .*received None"):
        layers.RandomFlip(name="here").transform_bounding_boxes(boxes_within(SHAPE), drawn)
