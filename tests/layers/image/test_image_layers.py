"""Layers of images against Keras on JAX, ``tests/golden/image_layers.npz``, and what only they must do."""

from pathlib import Path

import numpy as np
import pytest

import packed
from distnet import layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers import LAYERS
from distnet.layers.image.row_numbers import RowNumbers
from layer_run import LayerRun, assert_gradients_are_right, numbers

GOLDEN = Path(__file__).parents[2] / "golden"

ARRAYS, CASES = packed.load(GOLDEN / "image_layers.npz")
SINGLE_IN_KERAS = ("RandomRotation", "RandomZoom", "RandomContrast")
"""Keras draws or computes their parameters in single precision, whatever the dtype."""
RANDOM = [
    ("RandomFlip", {}),
    ("RandomRotation", {"factor": 0.4}),
    ("RandomZoom", {"height_factor": 0.4, "width_factor": 0.3}),
    ("RandomTranslation", {"height_factor": 0.4, "width_factor": 0.3}),
    ("RandomContrast", {"factor": 0.9, "value_range": (-9.0, 9.0)}),
    ("RandomBrightness", {"factor": 0.3, "value_range": (-9.0, 9.0)}),
]
SMALLER = [
    ("RandomCrop", {"height": 3, "width": 2}),
    ("CenterCrop", {"height": 3, "width": 2}),
    ("Resizing", {"height": 3, "width": 2}),
]


def run(name, options, row=(6, 5, 2), training=True, step=3):
    return LayerRun(getattr(layers, name)(**{"dtype": "float64", **options}), row, training=training, step=step)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layer']}-{case['options']}-{case['x']}")
def test_it_equals_keras_for_the_same_random_numbers(case, monkeypatch):
    def given(numbers, width, limits=(0.0, 1.0)):
        return limits[0] + ARRAYS["u"][:width, : numbers.rows] * (limits[1] - limits[0])

    monkeypatch.setattr(RowNumbers, "uniform", given)
    exact = 1e-4 if case["layer"] in SINGLE_IN_KERAS else 1e-9
    for dtype, tolerance in (("float64", exact), ("float32", 1e-3)):
        x = ARRAYS[case["x"]].astype(dtype)
        (y,) = run(case["layer"], {**case["options"], "dtype": dtype}, x.shape[1:]).outputs(x)
        np.testing.assert_allclose(y, ARRAYS[case["y"]], rtol=0, atol=tolerance)
        assert y.dtype == dtype


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_outside_of_training_nothing_changes(name, options):
    x = numbers(4, 6, 5, 2)
    np.testing.assert_array_equal(run(name, options, training=False).outputs(x)[0], x)


@pytest.mark.parametrize(("name", "options"), RANDOM)
def test_images_and_steps_change_each_in_a_way_of_its_own(name, options):
    x = np.repeat(numbers(1, 6, 5, 2), 8, axis=0)
    (y,), (later,) = (run(name, {**options, "seed": 3}, step=step).outputs(x) for step in (3, 4))
    assert len(np.unique(y.reshape(8, -1), axis=0)) == (2 if name == "RandomFlip" else 8)
    assert (y != later).any()


@pytest.mark.parametrize(("name", "options"), RANDOM + SMALLER)
def test_any_part_of_the_batch_is_the_part_of_the_whole(name, options):
    made, x = run(name, options), numbers(9, 6, 5, 2)
    (y,) = made.outputs(x)
    for part in (slice(0, 4), slice(4, 4), slice(4, 9)):
        found = made.outputs(x[part], first_row=part.start, global_rows=9)[0]
        np.testing.assert_allclose(found, y[part], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("name", "options"), RANDOM + SMALLER)
def test_its_gradient_equals_central_differences(name, options):
    assert_gradients_are_right(run(name, options), (6, 5, 2))


def test_a_batch_is_cut_at_one_place_that_moves_from_step_to_step():
    x = np.arange(8.0 * 9).reshape(1, 8, 9, 1) * np.ones((3, 1, 1, 1))
    corners = []
    for step in range(60):
        (y,) = run("RandomCrop", {"height": 3, "width": 4, "seed": 1}, (8, 9, 1), step=step).outputs(x)
        assert (y == y[:1]).all()
        corners.append(divmod(int(y[0, 0, 0, 0]), 9))
    assert {row for row, _ in corners} == set(range(6))
    assert {column for _, column in corners} == set(range(6))


def test_outside_of_training_and_of_small_images_the_centre_is_taken():
    x = np.arange(6.0 * 10).reshape(1, 6, 10, 1)
    square = {"height": 6, "width": 6}
    for training in (True, False):
        (y,) = run("RandomCrop", square, (6, 10, 1), training).outputs(x)
        np.testing.assert_array_equal(y, x[:, :, 2:8])
    (y,) = run("RandomCrop", {"height": 3, "width": 3}, (6, 10, 1), training=False).outputs(x)
    (smaller,) = run("Resizing", {"height": 3, "width": 3}, (6, 6, 1)).outputs(x[:, :, 2:8])
    np.testing.assert_array_equal(y, smaller)


@pytest.mark.parametrize(("name", "options"), RANDOM + SMALLER)
def test_keras_own_configuration_is_read(name, options):
    layer = getattr(layers, name)(**options)
    config = {**layer.get_config(), "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}}}
    read = LAYERS.get({"class_name": name, "config": {**config, "bounding_box_format": None}})
    assert read.get_config() == layer.get_config()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("RandomFlip", {"mode": "diagonal"}, "mode of .*received 'diagonal'"),
        (
            "RandomFlip",
            {"data_format": "channels"},
            "data_format: expected one of .*'channels_first'.*, received 'channels'",
        ),
        ("RandomRotation", {"factor": 1.5}, r"factor must be one or two numbers in \[-1, 1\], received 1.5"),
        ("RandomRotation", {"factor": (0.1, 0.2, 0.3)}, "factor must be one or two numbers"),
        ("RandomRotation", {"factor": 0.1, "fill_mode": "mirror"}, "fill_mode of .*received 'mirror'"),
        ("RandomRotation", {"factor": 0.1, "interpolation": "bicubic"}, "interpolation of .*received 'bicubic'"),
        ("RandomZoom", {"height_factor": -1}, r"height_factor must be .* in \(-1, 1\], received -1"),
        ("RandomTranslation", {"height_factor": 0, "width_factor": "far"}, "width_factor must be .*received 'far'"),
        ("RandomContrast", {"factor": -0.5}, r"factor must be .* in \[0, 1\], received -0.5"),
        ("RandomBrightness", {"factor": 0.1, "value_range": 255}, "value_range must be two numbers, received 255"),
        ("RandomCrop", {"height": 0, "width": 2}, "height: expected a positive integer, received 0"),
        ("Resizing", {"height": 2, "width": 2, "interpolation": "area"}, "interpolation of .*received 'area'"),
        ("Resizing", {"height": 2, "width": 2, "fill_mode": "wrap"}, "fill_mode 'constant', received 'wrap'"),
        (
            "Resizing",
            {"height": 2, "width": 2, "crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
            "to crop or to pad .* received both",
        ),
    ],
)
def test_wrong_options_are_named(name, options, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        getattr(layers, name)(**options, name="here")
    assert str(caught.value).startswith("here: ")


@pytest.mark.parametrize(("name", "options"), RANDOM + SMALLER)
def test_what_are_no_images_is_refused(name, options):
    with pytest.raises(ShapeError, match=r"shape \(batch, height, width, channels\), received \(None, 6, 5\)"):
        getattr(layers, name)(**options)(layers.Input((6, 5)))
