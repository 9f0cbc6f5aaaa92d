"""What has no gradient says so by name, with the remedy; and a transform of images at random."""

import numpy as np
import pytest

import distnet
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


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda x, w: ops.leaky_relu(x, negative_slope=w), "negative_slope"),
        (lambda x, w: ops.soft_shrink(x, w), "threshold"),
        (lambda x, w: ops.pad(x, [[1, 1]], constant_values=w), "constant_values"),
        (lambda x, w: ops.nan_to_num(x, nan=w), "nan"),
    ],
)
def test_an_argument_that_has_no_gradient_must_be_a_constant(call, argument):
    weight = distnet.Variable(0.25, dtype="float64")
    x = ops.convert_to_tensor(np.array([-1.0, 0.1, 2.0]))
    for constant in (0.25, weight.numpy(), ops.stop_gradient(weight)):
        with distnet.GradientTape() as tape:
            tape.watch(x)
            y = call(x, constant)
        np.testing.assert_array_equal(y, call(x, 0.25))
        assert tape.gradient(y, x) is not None
    for factor in (1, 2.0):
        with distnet.GradientTape(), pytest.raises(ArgumentError, match=rf"{argument}: expected a constant"):
            call(x, weight if factor == 1 else factor * weight)


def test_counts_and_shapes_may_be_tensors():
    class Own(distnet.layers.Layer):
        def call(self, x):
            def of(*counts):
                return ops.concatenate([ops.convert_to_tensor([int(n)]) for n in counts], axis=0)

            rows = ops.shape(x)[0]
            halves = ops.split(ops.tile(x, of(1, 2)), ops.convert_to_tensor(2), axis=1)
            return ops.reshape(halves[0] + ops.zeros(of(rows, 6)), of(rows, 2, 3)) * ops.ones(of(rows, 2, 3))

    model = distnet.Sequential([distnet.Input((6,)), Own(), distnet.layers.Flatten(), distnet.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.arange(24.0).reshape(4, 6)
    np.testing.assert_array_equal(Own()(x), x.reshape(4, 2, 3))
    assert np.isfinite(model.fit(x, x[:, 0], epochs=2, batch_size=3, verbose=0).history["loss"]).all()
