"""``utils.bounding_boxes`` against real Keras on JAX, on boxes drawn at random."""

import itertools
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

from distnet.errors import ArgumentError, ShapeError
from distnet.layers.image.box_formats import FORMATS
from distnet.ops.tensor import Tensor
from distnet.utils import bounding_boxes

SCRIPT = Path(__file__).parents[1] / "tools" / "bounding_boxes_in_keras.py"
RNG = np.random.default_rng(7)
HEIGHT, WIDTH = 30, 50
SINGLE = {"rtol": 2e-5, "atol": 2e-5}


def corners(*shape):
    """Boxes of two corners each, some of which reach out of the image."""
    x, y = (RNG.uniform(-5, side + 5, (*shape, 2)) for side in (WIDTH, HEIGHT))
    x, y = np.sort(x), np.sort(y)
    return np.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], axis=-1).astype("float32")


def scaled(boxes):
    return (boxes / [WIDTH, HEIGHT, WIDTH, HEIGHT]).astype("float32")


def angles(limit, batch):
    return RNG.uniform(-limit, limit, batch).astype("float32")


def affine(**options):
    turned = [angles(90, 3), angles(0.3, 3), angles(0.3, 3), RNG.uniform(0.5, 2, 3).astype("float32")]
    return "affine_transform", (corners(3, 4), *turned, angles(20, 3), angles(20, 3), HEIGHT, WIDTH), options


def written(name, *shape):
    """Boxes in a format, not computed with what is under test: any four numbers are boxes in it."""
    numbers = RNG.uniform(1, 9, (*shape, 4)).astype("float32")
    return numbers / np.float32(10) if name.startswith("rel") else numbers


EXTENT = {"height": HEIGHT, "width": WIDTH}
SHAPE = {"image_shape": (HEIGHT, WIDTH, 3)}
CONVERSIONS = [
    ("convert_format", (written(source, 2, 3), source, target), EXTENT)
    for source, target in itertools.product(FORMATS, FORMATS)
]
OTHERS = [
    ("convert_format", (corners(5).astype("int64"), "XYXY", "Center_XYWH"), {}),
    ("clip_to_image_size", ({"boxes": corners(2, 6), "labels": RNG.integers(0, 5, (2, 6))},), EXTENT),
    ("clip_to_image_size", ({"boxes": corners(6)},), EXTENT),
    (
        "clip_to_image_size",
        ({"boxes": np.array([[60, 2, 70, 8], [-4, 1, 9, 7]]), "labels": np.array([3, 4])},),
        EXTENT,
    ),
    (
        "clip_to_image_size",
        ({"boxes": scaled(corners(2, 6)), "labels": RNG.integers(0, 5, (2, 6))},),
        {"bounding_box_format": "rel_xyxy"},
    ),
    ("crop", (corners(2, 5), 4, 7, 12, 20), {}),
    ("crop", (corners(5), 4.5, 0, 12, 20), {}),
    ("pad", (corners(2, 5), 4, 7), {}),
    affine(),
    affine(center_x=0.2, center_y=0.9),
    *(
        ("encode_box_to_deltas", (written(a, 6), written(b, 2, 6), a, b, encoding), {"variance": variance, **SHAPE})
        for a, b, encoding, variance in [
            ("xywh", "center_yxhw", "center_yxhw", None),
            ("rel_xywh", "rel_center_xywh", "center_xywh", [0.1, 0.1, 0.2, 0.3]),
        ]
    ),
    *(
        (
            "decode_deltas_to_boxes",
            (written(a, 6), RNG.normal(size=(2, 6, 4)).astype("float32"), a, b, encoding),
            {"variance": variance, **SHAPE},
        )
        for a, b, encoding, variance in [
            ("xyxy", "yxyx", "center_yxhw", None),
            ("center_xywh", "rel_xyxy", "center_xywh", [0.1, 0.1, 0.2, 0.3]),
        ]
    ),
    *(
        ("compute_iou", (corners(*first), corners(*second), name), {})
        for first, second, name in [
            ((3,), (5,), "xyxy"),
            ((2, 3), (2, 5), "yxyx"),
            ((2, 3), (5,), "xyxy"),
            ((3,), (2, 5), "xyxy"),
        ]
    ),
    ("compute_iou", (scaled(corners(3)), scaled(corners(3)), "rel_xyxy"), SHAPE),
    (
        "compute_iou",
        (corners(4) - np.float32(25), corners(4) - np.float32(25), "xyxy"),
        {"use_masking": True, "mask_val": -7},
    ),
    ("compute_ciou", (corners(2, 6), corners(2, 6), "xyxy"), {}),
    ("compute_ciou", (written("xywh", 6), written("xywh", 6), "xywh"), {}),
]
CASES = [*CONVERSIONS, *OTHERS]


@pytest.fixture(scope="module")
def in_keras(keras_3, tmp_path_factory):
    cases, answers = (tmp_path_factory.mktemp("boxes") / name for name in ("cases", "answers"))
    cases.write_bytes(pickle.dumps((CASES, [])))
    subprocess.run([keras_3, SCRIPT, cases, answers], check=True, timeout=240)
    return pickle.loads(answers.read_bytes())[0]


def called(name, args, options):
    return getattr(bounding_boxes, name)(*args, **options)


def assert_same(made, wanted):
    if isinstance(wanted, dict):
        assert made.keys() == wanted.keys()
        for key in wanted:
            assert_same(made[key], wanted[key])
        return
    made = np.asarray(made)
    assert made.dtype.kind == wanted.dtype.kind
    assert made.shape == wanted.shape
    np.testing.assert_allclose(made, wanted, **SINGLE)


def test_functions_give_keras_numbers(in_keras):
    for case, wanted in zip(CASES, in_keras, strict=True):
        assert_same(called(*case), wanted)


def test_functions_of_tensors_give_tensors_of_the_same_numbers():
    for name, args, options in OTHERS:
        if not isinstance(args[0], dict):
            made = called(name, (Tensor(np.asarray(args[0], "float32")), *args[1:]), options)
            assert isinstance(made, Tensor)
            np.testing.assert_allclose(made.value, called(name, args, options), **SINGLE)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_there_and_back_are_the_same_boxes(dtype):
    boxes = corners(2, 4).astype(dtype)
    for name in FORMATS:
        there = bounding_boxes.convert_format({"boxes": boxes, "labels": 1}, "xyxy", name, **EXTENT, dtype=dtype)
        back = bounding_boxes.convert_format(there, name, "xyxy", **EXTENT, dtype=dtype)
        assert back["labels"] == 1
        np.testing.assert_allclose(back["boxes"], boxes, **SINGLE)


def test_deltas_decode_to_the_boxes():
    anchors, boxes = np.abs(corners(6)) + np.float32([0, 0, 60, 60]), np.abs(corners(2, 6)) + np.float32([0, 0, 60, 60])
    deltas = bounding_boxes.encode_box_to_deltas(anchors, boxes, "xyxy", "xyxy", variance=[0.1, 0.1, 0.2, 0.2])
    made = bounding_boxes.decode_deltas_to_boxes(
        {"P3": anchors}, {"P3": deltas}, "xyxy", "xyxy", variance=[0.1, 0.1, 0.2, 0.2]
    )
    np.testing.assert_allclose(made["P3"], boxes, rtol=1e-4)


def test_a_relative_format_has_a_ciou_too():
    first, second = corners(5), corners(5)
    relative = bounding_boxes.compute_ciou(scaled(first), scaled(second), "rel_xyxy", (HEIGHT, WIDTH, 3))
    np.testing.assert_allclose(relative, bounding_boxes.compute_ciou(first, second, "xyxy"), rtol=1e-3, atol=1e-4)


def test_masks_are_of_the_boxes_they_belong_to_for_any_numbers_of_axes():
    first, second = corners(3) - np.float32(30), corners(2, 4) - np.float32(30)
    made = bounding_boxes.compute_iou(first, second, "xyxy", use_masking=True)
    is_out = (first.max(-1) < 0)[None, :, None] | (second.max(-1) < 0)[:, None, :]
    np.testing.assert_array_equal(np.asarray(made) == -1, is_out)
    assert 0 < is_out.sum() < is_out.size


def test_what_is_given_stays_as_it_is():
    given = {"boxes": corners(4), "labels": np.arange(4)}
    before = given["boxes"].copy()
    bounding_boxes.clip_to_image_size(given, 5, 5)
    bounding_boxes.convert_format(given, "xyxy", "xywh")
    np.testing.assert_array_equal(given["boxes"], before)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda b: b.convert_format(np.ones((2, 4)), "xyxy", "yxhw"), ArgumentError, "format of boxes of .*'yxhw'"),
        (lambda b: b.convert_format(np.ones((2, 4)), None, "xyxy"), ArgumentError, "received None"),
        (lambda b: b.convert_format(np.ones((2, 3)), "xyxy", "xywh"), ShapeError, r"\(\.\.\., 4\), received \(2, 3\)"),
        (lambda b: b.convert_format(np.ones((2, 4)), "rel_xywh", "xywh", 3), ArgumentError, "height and width"),
        (lambda b: b.clip_to_image_size({"boxes": np.ones((2, 4))}, 3), ArgumentError, "height and width"),
        (lambda b: b.clip_to_image_size({"boxes": np.ones((2, 4))}, 3, 3, "xywh"), ArgumentError, "received 'xywh'"),
        (lambda b: b.crop(np.ones((2, 4)), 1, 1, 3, 3, "yxyx"), ArgumentError, "Use convert_format"),
        (lambda b: b.pad(np.ones((2, 4)), 1, 1, bounding_box_format="xywh"), ArgumentError, "Use convert_format"),
        (
            lambda b: b.affine_transform(np.ones(4), np.ones(1), 0.0, 0.0, 1.0, 0.0, 0.0, 4, 4),
            ShapeError,
            r"received \(4,\)",
        ),
        (lambda b: b.compute_iou(np.ones(4), np.ones((2, 4)), "xyxy"), ShapeError, r"received \(4,\) and \(2, 4\)"),
        (lambda b: b.compute_iou(np.ones((2, 4)), np.ones((2, 4)), "rel_xyxy"), ArgumentError, "height and width"),
        (
            lambda b: b.encode_box_to_deltas(np.ones((2, 4)), np.ones((2, 4)), "xyxy", "xyxy", "xyxy"),
            ArgumentError,
            "encoding of",
        ),
        (
            lambda b: b.decode_deltas_to_boxes(np.ones((2, 4)), np.ones((2, 4)), "xyxy", "xyxy", variance=[1, 2]),
            ArgumentError,
            "expected 4 variances",
        ),
    ],
)
def test_what_is_wrong_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(bounding_boxes)
