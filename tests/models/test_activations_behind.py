"""Batch normalization does itself an Add and a ReLU that stand alone behind it: the same numbers, in fewer passes."""

import numpy as np
import pytest

import distnet
from distnet import activations, layers
from distnet.layers import Activation, Add, BatchNormalization, Conv2D, Dense, Input, ReLU
from distnet.layers.activation import bias_activation
from distnet.models import fusing
from kernel_sets import KERNEL_SETS

X = np.random.default_rng(0).standard_normal((20, 4, 4, 3))


def trained(outputs_of, x=X, fits=2, compute=None):
    distnet.utils.clear_session()
    distnet.utils.set_random_seed(4)
    inputs = Input(x.shape[1:], dtype="float64")
    model = distnet.Model(inputs, outputs_of(inputs))
    model.compile("adam", "mse")
    y = [np.random.default_rng(1).standard_normal((len(x), *shape[1:])) for shape in shapes_of(model)]
    for _ in range(fits):
        model.fit(x, y if len(y) > 1 else y[0], batch_size=8, verbose=0)
        if compute is not None:
            compute(model)
    predicted = model.predict(x, verbose=0)
    return [*model.get_weights(), *(predicted if isinstance(predicted, list) else [predicted])]


def shapes_of(model):
    return model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]


def behind(x):
    return ReLU()(BatchNormalization()(Conv2D(4, 3)(x)))


def by_name(x):
    return Dense(2)(Activation("relu")(BatchNormalization()(x)))


def residual(x):
    y = Activation("relu")(BatchNormalization()(Conv2D(3, 3, padding="same")(x)))
    y = BatchNormalization()(Conv2D(3, 3, padding="same")(y))
    return Activation("relu")(Add()([y, x]))


def residual_first(x):
    y = BatchNormalization()(Conv2D(3, 3, padding="same")(x))
    return ReLU()(Add()([BatchNormalization()(Conv2D(3, 1)(x)), y]))


def residual_of_trained(x):
    x = Conv2D(3, 3, padding="same")(x)
    for _ in range(2):
        y = ReLU()(BatchNormalization()(Conv2D(3, 3, padding="same")(x)))
        x = ReLU()(Add()([x, BatchNormalization()(Conv2D(3, 3, padding="same")(y))]))
    return x


def without_activation(x):
    return Dense(2)(Add()([Dense(3)(x), BatchNormalization()(Dense(3)(x))]))


def of_channels_first(x):
    return ReLU()(Add()([Dense(3)(x), BatchNormalization(axis=1)(Dense(3)(x))]))


def frozen_residual(x):
    x = Dense(3)(x)
    return ReLU()(Add()([x, BatchNormalization(trainable=False)(Dense(3)(x))]))


def masked_residual(x):
    steps = layers.Masking(mask_value=0.0)(layers.Reshape((4, 12))(x))
    return layers.GlobalAveragePooling1D()(ReLU()(Add()([Dense(12)(steps), BatchNormalization()(steps)])))


def residual_given_out(x):
    y = Add()([Dense(3)(x), BatchNormalization()(Dense(3)(x))])
    return [y, ReLU()(y)]


def channels_first(x):
    return ReLU()(BatchNormalization(axis=1)(Dense(3)(x)))


def frozen(x):
    return ReLU()(BatchNormalization(trainable=False)(Dense(3)(x)))


def without_scale(x):
    return ReLU()(BatchNormalization(scale=False, center=False)(Dense(3)(x)))


def shared(x):
    relu = ReLU()
    return relu(BatchNormalization()(relu(BatchNormalization()(Dense(3)(x)))))


def in_training_mode(x):
    return ReLU()(BatchNormalization()(Dense(3)(x), training=True))


def within_a_model(x):
    inner = distnet.Sequential([Input((4, 4, 3)), BatchNormalization(), ReLU(), Dense(2)])
    return inner(ReLU()(BatchNormalization()(x)))


def masked(x):
    steps = layers.Reshape((4, 12))(x)
    return layers.GlobalAveragePooling1D()(ReLU()(BatchNormalization()(layers.Masking(mask_value=0.0)(steps))))


def read_twice(x):
    y = BatchNormalization()(x)
    return Add()([ReLU()(y), y])


def given_out(x):
    y = BatchNormalization()(x)
    return [ReLU()(y), y]


def penalized(x):
    return ReLU(activity_regularizer="l2")(BatchNormalization()(x))


def penalized_before(x):
    return ReLU()(BatchNormalization(activity_regularizer="l2")(x))


def pooled(x):
    return Dense(2)(layers.MaxPooling2D()(Conv2D(5, 3, padding="same", activation="relu")(x)))


def pooled_in_parts(x):
    """Some entries are in no window, some in two; without a bias; the kernel is not trained."""
    y = layers.MaxPooling2D(2, 1)(Conv2D(3, 2, padding="same", activation="relu", use_bias=False)(x))
    y = layers.DepthwiseConv2D(2, padding="same", activation="relu", trainable=False)(y)
    return layers.MaxPooling2D(2, padding="same")(Conv2D(20, 2, padding="same", activation="relu")(y))


def pooled_sequence(x):
    y = layers.SeparableConv1D(5, 3, padding="same", activation="relu")(layers.Reshape((8, 6))(x))
    return layers.MaxPooling1D(3)(y)


def pooled_without_relu(x):
    y = layers.MaxPooling2D()(Conv2D(5, 3, padding="same", activation="tanh")(x))
    return Activation("relu")(layers.MaxPooling2D()(Conv2D(5, 3, padding="same")(y)))


def pooled_twice(x):
    y = Conv2D(5, 3, padding="same", activation="relu")(x)
    return Add()([layers.MaxPooling2D()(y), layers.MaxPooling2D()(y)])


def pooled_penalized(x):
    return Activation("relu")(layers.MaxPooling2D()(Conv2D(5, 3, activation="relu", activity_regularizer="l2")(x)))


def dropped(x):
    return Dense(2)(layers.Dropout(0.4)(Dense(5, activation="relu")(layers.Flatten()(x))))


def dropped_images(x):
    """Of one bias for many entries; without a bias; of a bias that is not trained; with shared layers."""
    drop, dense = layers.Dropout(0.4), Dense(3, activation="relu")
    y = drop(dense(layers.Dropout(0.5)(Conv2D(3, 3, padding="same", activation="relu")(x))))
    y = layers.Dropout(0.3)(Dense(3, activation="relu", use_bias=False)(y))
    y = drop(Dense(3, activation="relu", trainable=False)(y))
    return drop(dense(layers.Dropout(1.0)(Dense(3, activation="relu")(y))))


def dropped_at_any_time(x):
    y = layers.Dropout(0.4)(Dense(4, activation="relu")(x), training=True)
    y = layers.Dropout(0.4)(Dense(4, activation="relu")(y), training=False)
    return layers.Dropout(0)(Dense(4, activation="relu")(y))


def dropped_by_channels(x):
    y = layers.SpatialDropout2D(0.5)(Dense(4, activation="relu")(x))
    return layers.Dropout(0.5, noise_shape=(None, 1, 1, None))(Dense(3, activation="relu")(y))


def dropped_behind_masks(x):
    steps = layers.Masking(mask_value=0.0)(layers.Reshape((4, 12))(x))
    return layers.GlobalAveragePooling1D()(layers.Dropout(0.4)(Dense(3, activation="relu")(steps)))


def dropped_elsewhere(x):
    """What else reads the ReLU, another activation, penalties."""
    y = Dense(4, activation="relu")(x)
    y = Add()([layers.Dropout(0.4)(y), y])
    y = layers.Dropout(0.4)(Dense(4, activation="tanh")(y))
    y = layers.Dropout(0.4)(Dense(4, activation="relu", activity_regularizer="l2")(y))
    return layers.Dropout(0.4, activity_regularizer="l2")(Dense(4, activation="softmax")(y))


def bounded(x):
    return ReLU(max_value=1.0)(BatchNormalization()(x))


def made_later(x):
    y = BatchNormalization()(Dense(3)(x))
    return ReLU()(Add()([y, Dense(3)(x)]))


def broadcast(x):
    return ReLU()(Add()([BatchNormalization()(Dense(3)(x)), layers.GlobalAveragePooling2D(keepdims=True)(x)]))


def untrained(x):
    """What is added is trained, and what it is added to is not."""
    normalized = BatchNormalization(scale=False, center=False)
    return ReLU()(Add()([Dense(3)(x), normalized(x)]))


def twice(x):
    y = BatchNormalization()(Dense(3)(x))
    return ReLU()(Add()([y, y]))


def three(x):
    return ReLU()(Add()([x, Dense(3)(x), BatchNormalization()(Dense(3)(x))]))


def penalized_sum(x):
    return ReLU()(Add(activity_regularizer="l2")([x, BatchNormalization()(Dense(3)(x))]))


DONE = [
    behind, by_name, residual, residual_first, residual_of_trained, without_activation, of_channels_first,
    frozen_residual, masked_residual, channels_first, frozen, without_scale, shared, in_training_mode, within_a_model,
    masked,
]  # fmt: skip
LEFT = [
    read_twice, given_out, penalized, penalized_before, bounded, made_later, broadcast, untrained, twice, three,
    penalized_sum, residual_given_out,
]  # fmt: skip


@pytest.fixture
def counted(monkeypatch):
    """Counts the ReLUs and sums that are computed by themselves in training."""
    calls, forward, merge = [], activations.ReLU.forward, Add._merge
    monkeypatch.setattr(activations.ReLU, "forward", lambda self, z, out: (calls.append(1), forward(self, z, out))[1])
    monkeypatch.setattr(Add, "_merge", lambda self, *args: (calls.append(1), merge(self, *args))[1])
    return calls


DROPPED = [
    dropped, dropped_images, dropped_at_any_time, dropped_by_channels, dropped_behind_masks, dropped_elsewhere,
]  # fmt: skip


@pytest.mark.parametrize("network", DROPPED)
@pytest.mark.parametrize("kernels", KERNEL_SETS)
def test_dropout_applies_bias_and_relu_to_what_a_layer_leaves(network, kernels, monkeypatch):
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    passes, kernel = [], distnet.kernels.load(kernels)
    for name in ("relu_dropout", "ready_relu_dropout"):
        drop = getattr(type(kernel), name)
        monkeypatch.setattr(type(kernel), name, lambda *args, drop=drop: (passes.append(1), drop(*args))[1])
    x = np.where(np.arange(20)[:, None, None, None] % 3 == 0, 0.0, X)
    here = trained(network, x)
    assert bool(passes) == (network not in (dropped_by_channels, dropped_elsewhere))
    monkeypatch.setattr(fusing, "behind", lambda *args: None)
    passes.clear()
    for a, b in zip(here, trained(network, x), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not passes


POOLED = [pooled, pooled_in_parts, pooled_sequence, pooled_without_relu, pooled_twice, pooled_penalized]


@pytest.mark.parametrize("network", POOLED)
@pytest.mark.parametrize("kernels", KERNEL_SETS)
def test_pooling_applies_bias_and_relu_to_what_a_convolution_leaves(network, kernels, monkeypatch):
    monkeypatch.setenv("DISTNET_KERNELS", kernels)
    bias, forward = [], bias_activation.forward
    monkeypatch.setattr(
        bias_activation, "forward", lambda *args: (args[3].is_left or bias.append(1), forward(*args))[1]
    )
    here, alone = trained(network, fits=1), len(bias)
    monkeypatch.setattr(fusing, "behind", lambda *args: None)
    for a, b in zip(here, trained(network, fits=1), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)  # sums of the bias's gradient have other blocks
    assert (len(bias) - alone > alone) == (network in POOLED[:3])


@pytest.mark.parametrize("network", DONE + LEFT)
def test_the_numbers_are_those_of_two_layers(network, monkeypatch):
    x = np.where(np.arange(20)[:, None, None, None] % 3 == 0, 0.0, X) if network in (masked, masked_residual) else X
    here = trained(network, x)
    monkeypatch.setattr(fusing, "behind", lambda *args: None)
    for a, b in zip(here, trained(network, x), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("network", DONE)
def test_it_is_no_pass_of_its_own(network, counted):
    trained(network, fits=1)
    assert not counted


@pytest.mark.parametrize("network", LEFT)
def test_where_more_depends_on_what_lies_between_it_stays(network, counted):
    trained(network, fits=1)
    assert counted


def test_a_layer_that_gets_another_activation_applies_that(monkeypatch):
    def change(model):
        model.layers[2].activation = activations.get("tanh")

    here = trained(by_name, compute=change)
    monkeypatch.setattr(fusing, "behind", lambda *args: None)
    for a, b in zip(here, trained(by_name, compute=change), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_users_layer_is_called():
    class Own(ReLU):
        def forward(self, x, ctx):
            y, saved = super().forward(x, ctx)
            return 2 * y, saved

        def backward(self, dy, saved, ctx):
            return 2 * super().backward(dy, saved, ctx)

    assert not np.allclose(trained(lambda x: Own()(BatchNormalization()(x)))[-1],
                           trained(lambda x: ReLU()(BatchNormalization()(x)))[-1])  # fmt: skip
