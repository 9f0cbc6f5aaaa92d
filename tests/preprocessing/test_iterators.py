from __future__ import annotations

import numpy as np
import pytest

from distnet.errors import ArgumentError, DataError, ShapeError
from distnet.preprocessing.image import ImageDataGenerator, load_img

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (23, 6, 5, 3), dtype=np.uint8)
Y = np.arange(23)
W = np.linspace(1, 2, 23)


def changing(**options):
    return ImageDataGenerator(rotation_range=30, horizontal_flip=True, zoom_range=0.2, **options)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_any_number_of_ranks_computes_the_same_images(ranks, shuffle):
    whole = changing().flow(X, Y, batch_size=5, shuffle=shuffle, sample_weight=W, seed=3)
    others = [changing().flow(X, Y, batch_size=5, shuffle=shuffle, sample_weight=W, seed=3) for _ in range(ranks)]
    for epoch in (0, 2):
        for batch in range(len(whole)):
            rows = whole.global_rows(batch)
            edges = [rows * rank // ranks for rank in range(ranks + 1)]
            parts = [it.rows(epoch, batch, slice(*edges[i : i + 2])) for i, it in enumerate(others)]
            for found, expected in zip(zip(*parts, strict=True), whole.rows(epoch, batch, slice(0, rows)), strict=True):
                np.testing.assert_array_equal(np.concatenate(found), expected)


def test_the_same_row_changes_alike_in_every_order_and_batch_size():
    in_order = changing().flow(X, Y, batch_size=23, shuffle=False, seed=3)[0][0]
    for x, y in (changing().flow(X, Y, batch_size=4, seed=3)[i] for i in range(6)):
        np.testing.assert_array_equal(x, in_order[y])


def test_epochs_have_other_orders_and_other_changes():
    it = changing().flow(X, Y, batch_size=23, seed=3)
    (x0, y0), (x1, y1) = (it.rows(epoch, 0, slice(0, 23)) for epoch in (0, 1))
    assert sorted(y0) == sorted(y1) == list(range(23))
    assert (y0 != y1).any()
    assert (x0[np.argsort(y0)] != x1[np.argsort(y1)]).any(axis=(1, 2, 3)).all()


def test_next_goes_through_epoch_after_epoch_as_the_sequence_does():
    it, sequence = (changing().flow(X, Y, batch_size=10, seed=3) for _ in range(2))
    for _ in range(2):
        for i in range(len(sequence)):
            for found, expected in zip(next(it), sequence[i], strict=True):
                np.testing.assert_array_equal(found, expected)
        sequence.on_epoch_end()
    assert len(sequence) == 3
    assert [sequence.global_rows(i) for i in range(3)] == [10, 10, 3]
    assert it.total_batches_seen == 6
    np.testing.assert_array_equal(
        sequence.index_array,
        sequence.rows(2, 0, slice(0, 10))[1].tolist()
        + list(np.concatenate([sequence.rows(2, i, slice(0, 10))[1] for i in (1, 2)])),
    )


def test_reset_begins_the_epoch_again():
    it = changing().flow(X, Y, batch_size=10, seed=3)
    first = next(it)[1]
    next(it)
    it.reset()
    np.testing.assert_array_equal(next(it)[1], first)
    assert iter(it) is it


def test_iterators_of_one_seed_go_alike_and_without_one_each_its_own_way():
    images, masks = (changing().flow(data, Y, seed=1) for data in (X, X))
    for a, b in zip(next(images), next(masks), strict=True):
        np.testing.assert_array_equal(a, b)
    own, other = (ImageDataGenerator().flow(X, Y) for _ in range(2))
    assert (next(own)[1] != next(other)[1]).any()


def test_what_comes_along_and_what_is_left_out():
    more = [np.arange(23) * 2.0, np.arange(46).reshape(23, 2)]
    (x, one, two), y = ImageDataGenerator().flow((X, more), Y, batch_size=4, seed=1)[0]
    np.testing.assert_array_equal(one, y * 2.0)
    np.testing.assert_array_equal(two, more[1][y])
    assert x.shape == (4, 6, 5, 3)
    assert ImageDataGenerator(dtype="float64").flow(X)[0].dtype == np.float64
    x, y, w = ImageDataGenerator().flow(X, Y, sample_weight=W, shuffle=False)[0]
    np.testing.assert_array_equal(w, W[y])
    np.testing.assert_array_equal(x, X)


def test_the_validation_subset_is_the_first_rows():
    generator = ImageDataGenerator(validation_split=0.25)
    y = np.arange(23) % 2
    training, validation = (
        generator.flow(X, y, sample_weight=W, shuffle=False, subset=s)[0] for s in ("training", "validation")
    )
    assert (len(training[0]), len(validation[0])) == (18, 5)
    np.testing.assert_array_equal(validation[2], W[:5])
    with pytest.raises(ArgumentError, match="to have the same classes"):
        generator.flow(X, Y, subset="training")
    assert generator.flow(X, Y, subset="training", ignore_class_split=True).n == 18


def test_a_function_of_the_user_sees_each_image():
    seen = []

    def invert(image):
        seen.append(image.shape)
        return 255 - image

    x = ImageDataGenerator(preprocessing_function=invert, rescale=2.0).flow(X, batch_size=3, shuffle=False)[0]
    np.testing.assert_array_equal(x, (255 - X[:3].astype(np.float32)) * 2)
    assert seen == [(6, 5, 3)] * 3
    with pytest.raises(ShapeError, match=r"preprocessing_function: row 0: expected .* \(6, 5, 3\), .* \(5, 3\)"):
        ImageDataGenerator(preprocessing_function=lambda image: image[0]).flow(X, shuffle=False)[0]


def test_images_are_written_under_their_row_and_epoch(tmp_path):
    it = ImageDataGenerator().flow(X, batch_size=5, shuffle=False, save_to_dir=tmp_path / "new", save_prefix="a")
    it.rows(2, 1, slice(1, 3))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a_6_2.png", "a_7_2.png"]
    assert load_img(tmp_path / "new" / "a_6_2.png").size == (5, 6)


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (X[0], {}, ShapeError, r"four axes .* received shape \(6, 5, 3\)"),
        (
            [X[0], X[1], X[2][:3]],
            {},
            ShapeError,
            r"one size, received row 0 of shape .* and row 2 of shape \(3, 5, 3\)",
        ),
        (X[:0], {}, DataError, "at least one image"),
        (X.astype(str), {}, DataError, "images of numbers"),
        (X, {"y": Y[:5]}, ShapeError, r"y: expected 23 rows, as x has, received \(5,\)"),
        (X, {"sample_weight": W[:5]}, ShapeError, "sample_weight: expected 23 rows"),
        ((X, [Y, Y[:5]]), {}, ShapeError, r"x\[1\]: expected 23 rows"),
        (X, {"batch_size": 0}, ArgumentError, "batch_size: expected a positive integer, received 0"),
        (X, {"subset": "test"}, ArgumentError, "subset 'training' or 'validation', received 'test'"),
    ],
)
def test_wrong_data_is_named(x, options, error, message):
    with pytest.raises(error, match=message):
        ImageDataGenerator().flow(x, **options)


def test_a_batch_that_is_not_there_is_named():
    it = ImageDataGenerator().flow(X, batch_size=10)
    for index in (3, -1):
        with pytest.raises(ArgumentError, match=f"expected a batch from 0 to 2, received {index}"):
            it[index]
