"""What has no gradient says so by name, with the remedy; and a transform of images at random."""

import numpy as np
import pytest

from distnet import ops
from distnet.errors import ArgumentError

X = np.arange(12.0).reshape(4, 3) + np.eye(4, 3)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: ops.svd(x)[1], r"ops.svd: of matrices \(4, 3\) that are not square.*full_matrices=False"),
        (lambda x: ops.qr(x, "complete")[0], r"ops.qr: the decomposition of \(4, 3\) in mode 'complete'.*reduced"),
        (lambda x: ops.lu_factor(x)[0], r"ops.lu_factor: matrices \(4, 3\) that are not square"),
        (lambda x: ops.scatter_update(x, [[0, 1]], [2.0], "max"), r"scatter_update: reduction='max' has no gradient"),
    ],
)
def test_what_has_no_gradient_says_so(function, message):
    x = ops.convert_to_tensor(X)
    with ops.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(function(x))
    with pytest.raises(ArgumentError, match=message):
        tape.gradient(y, x)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.cholesky(-np.eye(2)), r"ops.cholesky: Matrix is not positive definite"),
        (lambda: ops.inv(np.zeros((2, 2))), r"ops.inv: Singular matrix"),
        (lambda: ops.image.resize(np.zeros((4, 4, 1)), (2, 2), "area"), r"ops.image.resize: expected an interpolation"),
        (lambda: ops.image.pad_images(np.zeros((4, 4, 1)), 1, 1), r"expected two of the sides and the target"),
        (lambda: ops.fft(np.zeros(4)), r"the pair of the real and the imaginary parts"),
    ],
)
def test_wrong_calls_say_what_was_expected(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_elastic_transforms_are_the_same_for_the_same_seed_and_move_by_alpha():
    images = np.random.default_rng(0).random((2, 6, 5, 3)).astype(np.float32)
    one, two, other = (ops.image.elastic_transform(images, sigma=1.0, seed=seed) for seed in (3, 3, 4))
    assert one.shape == images.shape
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01
    np.testing.assert_array_equal(ops.image.elastic_transform(images, alpha=0.0), images)
