"""What the golden numbers do not show of normalization: modes, large means, wrong arguments."""

import numpy as np
import pytest

from distnet import kernels, layers
from distnet.errors import ArgumentError, ShapeError
from distnet.layers.engine.context import BackwardContext, ForwardContext, Workspaces
from distnet.layers.normalization import batch_formulas
from distnet.models import Sequential
from kernel_sets import KERNEL_SETS
from ranks_of_threads import on_ranks

RNG = np.random.default_rng(0)


def forward(layer, x, training=True, mask=None, **sums):
    layer.build_once((None, *x.shape[1:]))
    ctx = ForwardContext(training, 1, 0, 0, len(x), Workspaces(), mask=mask, **sums)
    y, _ = layer.forward(x, ctx)
    return y.copy()


def test_the_variance_of_numbers_near_a_large_mean_is_exact():
    x = 1e8 + RNG.normal(size=(1000, 3))
    layer = layers.BatchNormalization(momentum=0.0, dtype="float64")
    forward(layer, x)
    np.testing.assert_allclose(layer.moving_variance.value, x.var(axis=0), rtol=1e-9)


@pytest.mark.parametrize("mean", [0, 1, 90, 110, 1e6])
@pytest.mark.parametrize("name", KERNEL_SETS)
def test_what_ranks_tell_in_one_message_gives_exact_statistics_or_is_known_not_to(name, mean):
    kernel, x = kernels.load(name), mean + RNG.normal(size=(1, 700, 3))
    sums, told, each, gamma = np.zeros((3, 3)), np.empty((3, 3)), np.empty((4, 3)), np.array([1, 2, -3.0])
    for part in (x[:, :100], x[:, 100:100], x[:, 100:650], x[:, 650:]):
        of_part = (moment[0] for moment in kernel.column_moments(part.copy()))
        kernel.vectorwise(batch_formulas.told)(*of_part, float(part.shape[1]), told)
        sums += told
    is_precise = kernel.vectorwise(batch_formulas.pooled)(sums, gamma, 1e-3, each)
    assert is_precise == (mean < 100)
    if is_precise:
        inverse = 1 / np.sqrt(x[0].var(axis=0) + 1e-3)
        expected = [x[0].mean(axis=0), x[0].var(axis=0), inverse, gamma * inverse]
        np.testing.assert_allclose(each, expected, rtol=1e-11, atol=1e-13)


def test_in_single_precision_a_million_rows_have_exact_statistics():
    x = (10 + RNG.normal(size=(2**20, 2))).astype("float32")
    layer = layers.BatchNormalization(momentum=0.0, dtype="float32")
    forward(layer, x)
    np.testing.assert_allclose(layer.moving_mean.value, x.mean(axis=0, dtype="float64"), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.value, x.var(axis=0, dtype="float64"), rtol=1e-6)


@pytest.mark.parametrize(("rows", "channels"), [(1, 1), (7, 3), (513, 1), (1000, 7), (129, 600), (70000, 2)])
def test_statistics_are_those_of_any_number_of_rows_and_channels(rows, channels):
    x = RNG.normal(size=(rows, channels))
    layer = layers.BatchNormalization(momentum=0.0, dtype="float64")
    y = forward(layer, x)
    np.testing.assert_allclose(layer.moving_mean.value, x.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(layer.moving_variance.value, x.var(axis=0), rtol=1e-12)
    np.testing.assert_allclose(y, (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3), atol=1e-10)


@pytest.mark.parametrize("shape", [(3, 70, 70, 6), (40, 5, 7, 6), (2, 1, 1, 6), (1, 300, 300, 2)])
def test_groups_of_images_of_any_size_are_normalized(shape):
    x = RNG.normal(size=shape)
    y = forward(layers.GroupNormalization(2, epsilon=1e-9, dtype="float64"), x)
    groups = y.reshape(shape[0], -1, 2, shape[3] // 2)
    np.testing.assert_allclose(groups.mean(axis=(1, 3)), 0, atol=1e-9)
    np.testing.assert_allclose(groups.var(axis=(1, 3)), 1, atol=1e-5)


def test_a_frozen_layer_and_inference_use_the_moving_statistics_and_leave_them():
    x = RNG.normal(size=(6, 3))
    for trainable, training in ((False, True), (True, False), (False, False)):
        layer = layers.BatchNormalization(dtype="float64", trainable=trainable)
        np.testing.assert_allclose(forward(layer, x, training), x / np.sqrt(1.001), rtol=1e-12)
        assert not layer.moving_mean.value.any()
        assert (layer.moving_variance.value == 1).all()


def test_a_call_with_training_false_inside_training_still_has_gradients_of_gamma_and_beta():
    x, dy = RNG.normal(size=(2, 6, 3))
    layer = layers.BatchNormalization(dtype="float64")
    layer.build_once((None, 3))
    work = Workspaces()
    _, saved = layer.forward(x, ForwardContext(False, 1, 0, 0, 6, work))
    dx = layer.backward(dy, saved, BackwardContext(work))
    np.testing.assert_allclose(dx, dy / np.sqrt(1.001))
    np.testing.assert_allclose(layer.beta.grad, dy.sum(axis=0))
    np.testing.assert_allclose(layer.gamma.grad, (dy * x).sum(axis=0) / np.sqrt(1.001))


def test_a_batch_without_rows_leaves_the_moving_statistics():
    layer = layers.BatchNormalization()
    assert forward(layer, np.zeros((0, 3), "float32")).shape == (0, 3)
    assert (layer.moving_variance.value == 1).all()


def test_masked_statistics_on_two_ranks_are_those_of_the_whole_batch():
    x, mask = RNG.normal(size=(5, 4, 3)), RNG.random((5, 4)) < 0.6

    def program(rank, sum_over_ranks):
        rows = slice(0, 2) if rank else slice(2, 5)
        layer = layers.BatchNormalization(dtype="float64")
        forward(layer, x[rows], mask=mask[rows], sum_over_ranks=sum_over_ranks)
        return layer.get_weights()

    whole = layers.BatchNormalization(dtype="float64")
    forward(whole, x, mask=mask)
    for found in on_ranks(2, program):
        for a, b in zip(found, whole.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_sequence_of_another_length_fits_the_same_weights():
    for layer in (layers.BatchNormalization(), layers.LayerNormalization(), layers.GroupNormalization(2)):
        layer.build_once((None, 5, 4))
        layer.build_once((None, 7, 4))
        with pytest.raises(ShapeError, match=layer.name):
            layer.build_once((None, 5, 6))


def test_keras_2_wrote_the_axis_as_a_list():
    assert layers.BatchNormalization.from_config({"axis": [3]}).axis == 3


def test_moving_statistics_are_saved_last():
    model = Sequential([layers.Dense(2, input_shape=(3,)), layers.BatchNormalization()])
    model.build((None, 3))
    assert [v.name for v in model.layers[1].weights] == ["gamma", "beta", "moving_mean", "moving_variance"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.BatchNormalization(epsilon=0), r"epsilon: expected a number in \(0, inf\)"),
        (lambda: layers.BatchNormalization(momentum=1.5), r"momentum: expected a number in \[0, 1\]"),
        (lambda: layers.BatchNormalization(axis="last"), "axis: expected an integer"),
        (lambda: layers.BatchNormalization(renorm=True), "renorm: expected False"),
        (lambda: layers.LayerNormalization(axis=1.5), "axis: expected an integer or a list"),
        (lambda: layers.LayerNormalization(axis=[]), "axis: expected an integer or a list"),
        (lambda: layers.GroupNormalization(groups=0), "groups: expected a positive integer or -1"),
        (lambda: layers.GroupNormalization(axis=[1]), "axis: expected an integer"),
        (lambda: layers.UnitNormalization(axis=None), "axis: expected an integer or a list"),
    ],
)
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (layers.BatchNormalization(), (None, 4, None), "extents along the axes"),
        (layers.BatchNormalization(axis=3), (None, 4), "expected an axis of the input"),
        (layers.LayerNormalization(axis=0), (None, 4), "other than the batch axis"),
        (layers.GroupNormalization(3), (None, 4), "multiple of groups=3"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(layer, shape, message):
    with pytest.raises(ShapeError, match=message):
        layer.build_once(shape)


def test_a_mask_of_the_wrong_axes_is_refused():
    with pytest.raises(ShapeError, match="one axis less than the input"):
        forward(layers.BatchNormalization(), np.zeros((2, 3, 4), "float32"), mask=np.ones(2, bool))


def test_groups_made_for_one_rank_are_refused_for_another():
    layer = layers.GroupNormalization(2)
    layer(np.ones((2, 4)))
    with pytest.raises(ShapeError, match="cannot take"):
        layer(np.ones((2, 3, 4)))
