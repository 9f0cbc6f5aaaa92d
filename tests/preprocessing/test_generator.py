from __future__ import annotations

import numpy as np
import pytest

from distnet.errors import ArgumentError, ShapeError
from distnet.preprocessing.image import ImageDataGenerator, apply_affine_transform, apply_channel_shift

EVERYTHING = {
    "rotation_range": 20,
    "width_shift_range": 0.2,
    "height_shift_range": 0.3,
    "shear_range": 10.0,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "vertical_flip": True,
    "channel_shift_range": 5.0,
    "brightness_range": (0.5, 1.5),
}


def drawn(**options):
    generator = ImageDataGenerator(**options)
    return [generator.get_random_transform((10, 20, 3), seed) for seed in range(300)]


def test_parameters_stay_in_their_ranges_and_fill_them():
    found = drawn(**EVERYTHING)
    ranges = {"theta": (-20, 20), "tx": (-3, 3), "ty": (-4, 4), "shear": (-10, 10), "zx": (0.8, 1.2), "zy": (0.8, 1.2)}
    ranges |= {"channel_shift_intensity": (-5, 5), "brightness": (0.5, 1.5)}
    for name, (low, high) in ranges.items():
        values = np.array([parameters[name] for parameters in found])
        assert low <= values.min() < low + 0.05 * (high - low)
        assert high >= values.max() > high - 0.05 * (high - low)
    for name in ("flip_horizontal", "flip_vertical"):
        assert 0.4 < np.mean([parameters[name] for parameters in found]) < 0.6


def test_by_default_nothing_changes():
    x = np.random.default_rng(0).random((6, 5, 3)).astype(np.float32)
    generator = ImageDataGenerator()
    parameters = generator.get_random_transform(x.shape)
    assert parameters["brightness"] is None
    assert not parameters["flip_horizontal"]
    np.testing.assert_array_equal(generator.random_transform(x), x)


@pytest.mark.parametrize(
    ("reach", "pixels"),
    [(3, {0, 1, 2, -1, -2}), ([0.1, 0.25], {1, -1, 2.5, -2.5}), ([2, 4], {2, -2, 4, -4})],
    ids=["below an int", "fractions", "pixels"],
)
def test_shifts_are_chosen_among_numbers(reach, pixels):
    assert {parameters["tx"] for parameters in drawn(height_shift_range=reach)} == pixels


def test_a_seed_gives_one_change_and_none_gives_others():
    generator = ImageDataGenerator(**EVERYTHING)
    assert generator.get_random_transform((9, 9, 1), 4) == generator.get_random_transform((9, 9, 1), 4)
    assert generator.get_random_transform((9, 9, 1)) != generator.get_random_transform((9, 9, 1))


def test_channels_first_is_channels_last_moved():
    x = np.random.default_rng(0).uniform(0, 255, (6, 6, 3)).astype(np.float32)
    last, first = (ImageDataGenerator(data_format=f"channels_{f}", **EVERYTHING) for f in ("last", "first"))
    np.testing.assert_array_equal(
        np.moveaxis(first.random_transform(np.moveaxis(x, -1, 0), 3), 0, -1), last.random_transform(x, 3)
    )
    batch = np.random.default_rng(0).uniform(0, 255, (5, 6, 6, 3)).astype(np.float32)
    for generator, data in ((last, batch), (first, np.moveaxis(batch, -1, 1))):
        generator.featurewise_center = True
        generator.fit(data)
    np.testing.assert_allclose(first.mean.ravel(), last.mean.ravel())
    assert (first.mean.shape, last.mean.shape) == ((3, 1, 1), (1, 1, 3))
    a, b = (g.flow(d, seed=1)[0] for g, d in ((last, batch), (first, np.moveaxis(batch, -1, 1))))
    np.testing.assert_allclose(np.moveaxis(b, 1, -1), a, rtol=1e-6)


def test_fitting_on_changed_images_is_repeatable():
    x = np.random.default_rng(0).uniform(0, 255, (8, 6, 6, 1)).astype(np.float32)
    means = []
    for rounds, seed in ((1, 3), (1, 3), (1, 4), (5, 3)):
        generator = ImageDataGenerator(featurewise_center=True, rotation_range=90, fill_mode="constant")
        generator.fit(x, augment=True, rounds=rounds, seed=seed)
        means.append(float(generator.mean.item()))
    assert means[0] == means[1]
    assert len(set(means)) == 3


def test_statistics_that_were_not_taken_are_told():
    generator = ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match=r"featurewise_(center|std_normalization) needs .* Call fit"):
        generator.standardize(np.ones((2, 2, 1), np.float32))


def test_standardize_changes_floats_in_place_and_integers_not():
    generator = ImageDataGenerator(rescale=0.5)
    x = np.ones((2, 2, 1), np.float32)
    assert generator.standardize(x) is x
    whole = np.full((2, 2, 1), 3, np.uint8)
    assert generator.standardize(whole).dtype == np.float32
    assert whole[0, 0, 0] == 3


def test_options_imply_each_other_as_in_keras():
    assert ImageDataGenerator(featurewise_std_normalization=True).featurewise_center
    assert ImageDataGenerator(samplewise_std_normalization=True).samplewise_center
    whitening = ImageDataGenerator(zca_whitening=True, featurewise_std_normalization=True)
    assert (whitening.featurewise_center, whitening.featurewise_std_normalization) == (True, False)
    assert ImageDataGenerator(zoom_range=0.2).zoom_range == [0.8, 1.2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fill_mode": "mirror"}, r"fill_mode of \('constant', .*received 'mirror'"),
        ({"interpolation_order": 3}, "order of 0 .* or 1 .*, received 3"),
        ({"data_format": "NHWC"}, r"data_format: expected one of .*, received 'NHWC'"),
        ({"validation_split": 1.5}, "validation_split in .*, received 1.5"),
        ({"zoom_range": (1, 2, 3)}, r"zoom_range: expected two numbers, received \(1, 2, 3\)"),
        ({"brightness_range": 0.5}, "brightness_range: expected two numbers, received 0.5"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ArgumentError, match=message):
        ImageDataGenerator(**options)


def test_images_of_other_axes_are_refused():
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.raises(ShapeError, match=r"fit: expected an array of 4 axes, received one of shape \(3, 4\)"):
        generator.fit(np.ones((3, 4)))
    with pytest.raises(ShapeError, match="apply_transform: expected an array of 3 axes"):
        generator.apply_transform(np.ones((2, 3, 4, 1)), {})


def test_the_functions_for_single_images():
    x = np.arange(12.0).reshape(1, 3, 4)
    shifted = apply_affine_transform(x, tx=1, fill_mode="constant")
    np.testing.assert_array_equal(shifted[0, :, :3], x[0, :, 1:])
    assert (shifted[0, :, 3] == 0).all()
    np.testing.assert_array_equal(apply_channel_shift(x, 5.0), np.clip(x + 5, 0, 11))
    with pytest.raises(ArgumentError, match="the axes 0, 1 and 2"):
        apply_affine_transform(x, row_axis=2)
    with pytest.raises(ShapeError, match="expected one image"):
        apply_affine_transform(x[0])
