"""Formulas of older versions of Keras: a model from a file computes as the Keras that wrote it."""

import numpy as np
import pytest

from distnet import errors, layers, models, optimizers
from distnet.dialects.reading import in_present_words

pytestmark = pytest.mark.slow

X = np.sin(np.arange(24, dtype="float32")).reshape(6, 4)
Y = np.cos(np.arange(6, dtype="float32"))[:, None]


def trained(optimizer):
    model = models.Sequential([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(1)])
    model.compile(optimizer, "mse")
    model.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("cls", [optimizers.legacy.RMSprop, optimizers.legacy.Adagrad])
@pytest.mark.parametrize(("ending", "for_keras_2"), [(".h5", False), (".h5", True), (".keras", False)])
def test_an_epsilon_outside_the_root_lasts_through_files(cls, ending, for_keras_2, tmp_path):
    model = trained(cls(0.1, epsilon=0.5))
    model.save(tmp_path / f"m{ending}", keras_optimizer=for_keras_2)
    again = models.load_model(tmp_path / f"m{ending}")
    assert again.optimizer.epsilon_outside
    losses = [m.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0).history["loss"] for m in (model, again)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-6)


@pytest.mark.parametrize("cls", [optimizers.RMSprop, optimizers.Adagrad])
def test_an_epsilon_outside_the_root_is_part_of_the_configuration_but_not_of_kerass(cls):
    optimizer = cls(0.1, epsilon_outside=True)
    assert cls.from_config(optimizer.get_config()).epsilon_outside
    written = optimizers.serialize(optimizer)
    assert "epsilon_outside" not in written["config"]
    assert optimizers.deserialize(written).epsilon_outside
    assert "epsilon_outside" not in cls(0.1).get_config()


@pytest.mark.parametrize(("ending", "for_keras_2"), [(".h5", False), (".h5", True), (".keras", False)])
def test_the_schedule_of_nadam_lasts_through_files_without_keras_3_seeing_it(ending, for_keras_2, tmp_path):
    model = trained(optimizers.Nadam(0.1, schedule_decay=0.004))
    assert "schedule_decay" not in optimizers.serialize(model.optimizer)["config"]
    model.save(tmp_path / f"m{ending}", keras_optimizer=for_keras_2)
    again = models.load_model(tmp_path / f"m{ending}")
    assert again.optimizer.schedule_decay == 0.004
    losses = [m.fit(X, Y, batch_size=3, epochs=2, shuffle=False, verbose=0).history["loss"] for m in (model, again)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-6)


def test_legacy_rmsprop_has_epsilon_inside_the_root_where_it_has_momentum():
    assert not optimizers.legacy.RMSprop(0.1, momentum=0.5).epsilon_outside
    assert optimizers.legacy.RMSprop(0.1).epsilon_outside


@pytest.mark.parametrize(
    ("version", "config", "is_outside", "norms"),
    [
        ("2.2.4", {"lr": 0.1, "clipnorm": 0.3}, True, (None, 0.3)),
        ("2.2.4-tf", {"learning_rate": 0.1, "clipnorm": 0.3}, True, (0.3, None)),
        ("2.10.0", {"learning_rate": 0.1, "momentum": 0.9, "clipnorm": 0.3}, False, (0.3, None)),
        ("2.13.1", {"learning_rate": 0.1, "is_legacy_optimizer": False, "jit_compile": True}, False, (None, None)),
        ("2.13.1", {"learning_rate": 0.1}, True, (None, None)),
        ("3.15.1", {"learning_rate": 0.1, "clipnorm": 0.3}, False, (0.3, None)),
        ("2.12.0+distnet", {"learning_rate": 0.1}, False, (None, None)),
    ],
)
@pytest.mark.parametrize("key", ["optimizer_config", "optimizer"])
def test_rmsprop_is_that_of_the_keras_that_wrote_it(version, config, is_outside, norms, key):
    settings = {key: {"class_name": "RMSprop", "config": config}, "loss": "mse"}
    spec = in_present_words(settings, version)[key]
    optimizer = optimizers.deserialize(spec)
    assert (optimizer.epsilon_outside, (optimizer.clipnorm, optimizer.global_clipnorm)) == (is_outside, norms)


@pytest.mark.parametrize("version", ["1.2.2", "2.2.4", "2.3.1", "2.3.0-tf", "2.10.0", "3.15.1"])
@pytest.mark.parametrize("around", [False, True])
def test_penalties_of_activities_are_not_divided_by_the_rows_up_to_keras_2_3(version, around, tmp_path):
    inner = {"name": "a", "units": 3, "activity_regularizer": {"class_name": "L2", "config": {"l2": 0.1}}}
    if version.startswith("1."):
        inner["activity_regularizer"] = {"name": "L1L2Regularizer", "l1": 0.0, "l2": 0.1}
    spec = {"class_name": "Dense", "config": inner}
    if around:
        spec = {"class_name": "TimeDistributed", "config": {"name": "t", "layer": spec}}
    model = models.Sequential(
        [layers.Input((2, 4)), layers.deserialize(in_present_words(spec, version)), layers.Flatten()]
    )
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    model = models.load_model(tmp_path / "m.h5")
    x = np.sin(np.arange(40, dtype="float32")).reshape(5, 2, 4)
    y = model.predict(x, verbose=0)
    penalty = 0.1 * np.sum(y**2) / (1 if version in ("1.2.2", "2.2.4", "2.3.1") else 5)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), penalty, rtol=1e-5)
    kernel, bias = model.get_weights()
    model.fit(x, y, verbose=0)
    gradient = 0.2 * y.reshape(-1, 3).sum(axis=0) * (penalty / (0.1 * np.sum(y**2)))
    np.testing.assert_allclose(model.get_weights()[1], bias - 0.01 * gradient, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("version", "shape", "axis", "lost"),
    [
        ("2.1.3", (8, 3), -1, []),
        ("2.1.2", (2, 2, 2, 3), -1, []),
        ("2.1.4", (8, 3), -1, [1.001]),
        ("2.3.1", (2, 4, 3), -1, [1.001]),
        ("2.2.4", (2, 2, 2, 3), 3, [1.0, 1.001]),
        ("2.2.4", (2, 3, 2, 2), 1, [1.001]),
        ("2.3.0-tf", (8, 3), -1, []),
        ("2.10.0", (2, 3, 2, 2), 1, [1.0]),
        ("3.15.1", (2, 2, 2, 3), -1, []),
    ],
)
def test_moving_variances_move_as_in_the_keras_that_wrote_them(version, shape, axis, lost):
    spec = {"class_name": "BatchNormalization", "config": {"name": "a", "axis": axis, "momentum": 0.0}}
    layer = layers.deserialize(in_present_words(spec, version))
    model = models.Sequential([layers.Input(shape[1:]), layer])
    model.compile("sgd", "mse")
    x = np.sin(np.arange(24, dtype="float32") ** 1.3).reshape(shape)
    model.fit(x, x, batch_size=8, verbose=0)
    channels = np.moveaxis(x, axis, -1).reshape(8, 3)
    expected = channels.var(axis=0) * np.prod([8 / (8 - n) for n in lost])
    np.testing.assert_allclose(layer.get_weights()[3], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("version", "config", "first", "clipped"),
    [
        ("1.2.2", {"lr": 1.0, "clipnorm": 5.0, "clipvalue": 3.5}, "norm", [3.0, 3.5]),
        ("2.3.1", {"lr": 1.0, "clipnorm": 5.0, "clipvalue": 3.5}, "norm", [3.0, 3.5]),
        ("2.3.0-tf", {"learning_rate": 1.0, "clipnorm": 5.0, "clipvalue": 3.5}, "norm", [3.0, 3.5]),
        ("2.10.0", {"learning_rate": 1.0, "clipnorm": 5.0, "clipvalue": 3.5}, "value", [3.5, 3.5]),
        ("2.13.1", {"learning_rate": 1.0, "clipnorm": 5.0, "clipvalue": 3.5, "jit_compile": True}, "", [3.0, 4.0]),
        ("2.13.1", {"learning_rate": 1.0, "global_clipnorm": 5.0, "clipvalue": 3.5, "use_ema": False}, "", [3.0, 4.0]),
    ],
)
def test_several_clips_are_obeyed_in_the_order_of_the_keras_that_wrote_them(version, config, first, clipped):
    settings = {"optimizer_config": {"class_name": "SGD", "config": config}, "loss": "mse"}
    optimizer = optimizers.deserialize(in_present_words(settings, version)["optimizer_config"])
    assert optimizer.clips_first == first
    model = models.Sequential([layers.Input((1,)), layers.Dense(2, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizer, "mse")
    model.fit(np.ones((1, 1)), np.array([[6.0, 8.0]]), verbose=0)  # whose gradient is (-6, -8)
    np.testing.assert_allclose(model.get_weights()[0], [clipped], rtol=1e-6)


def test_several_clips_of_ones_own_are_refused():
    with pytest.raises(errors.ArgumentError, match="at most one of clipnorm"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(errors.ArgumentError, match="clips_first"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0, clips_first="other")


def read_compiled(version, last, loss, metrics=(), shape=(4,)):
    """A model of a Dense layer, compiled as a file of a version of Keras says."""
    settings = {"optimizer_config": {"class_name": "SGD", "config": {}}, "loss": loss, "metrics": list(metrics)}
    model = models.Sequential([layers.Input(shape), layers.Masking(), last])
    model.compile_from_config(in_present_words(settings, version))
    return model


@pytest.mark.parametrize(
    ("version", "divisor"), [("1.2.2", 4), ("2.2.4", 4), ("2.3.1", 6), ("2.2.4-tf", 6), ("2.10.0", 6), ("2.13.1", 6)]
)
def test_rows_of_weight_0_do_not_count_in_the_loss_up_to_keras_2_2(version, divisor, tmp_path):
    model = read_compiled(version, layers.Dense(1), "mse")
    model.save(tmp_path / "m.h5")
    weight = np.array([0.0, 1.0, 2.0, 0.0, 0.5, 1.0])
    for read in (model, models.load_model(tmp_path / "m.h5")):
        errors_of_rows = np.square(model.predict(X, verbose=0) - Y)[:, 0]
        loss = read.evaluate(X, Y, sample_weight=weight, verbose=0)
        np.testing.assert_allclose(loss, (errors_of_rows * weight).sum() / divisor, rtol=1e-5)


@pytest.mark.parametrize(
    ("version", "is_of_all"),
    [("1.2.2", False), ("2.2.4", False), ("2.3.1", True), ("2.1.6-tf", False), ("2.2.4-tf", True), ("2.3.0-tf", True),
     ("2.10.0", True), ("2.11.0", False), ("2.13.1", False)],
)  # fmt: skip
def test_a_masked_loss_is_divided_by_all_steps_from_keras_2_3_to_2_10(version, is_of_all):
    model = read_compiled(version, layers.TimeDistributed(layers.Dense(1)), "mse", shape=(4, 2))
    x = np.sin(np.arange(48.0)).reshape(6, 4, 2)
    x[::2, 1:] = 0
    y = np.cos(np.arange(24.0)).reshape(6, 4, 1)
    counts = np.any(x != 0, axis=2)
    loss = (np.square(model.predict(x, verbose=0) - y)[..., 0] * counts).sum() / (24 if is_of_all else 15)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), loss, rtol=1e-5)


@pytest.mark.parametrize("version", ["1.2.2", "2.2.4", "2.3.1", "2.2.4-tf", "2.3.0-tf", "2.10.0"])
def test_accuracy_is_the_binary_one_behind_binary_crossentropy_up_to_keras_2_3(version):
    model = read_compiled(version, layers.Dense(3, "sigmoid"), "binary_crossentropy", ["accuracy"])
    bits = np.sin(np.arange(18.0)).reshape(6, 3) > 0
    scores = model.predict(X, verbose=0)
    by_entry = np.mean((scores > 0.5) == bits)
    by_row = np.mean(scores.argmax(axis=1) == bits.argmax(axis=1))
    expected = by_row if version in ("2.3.0-tf", "2.10.0") else by_entry
    np.testing.assert_allclose(model.evaluate(X, bits.astype("float32"), verbose=0)[1], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "version", "direction"), [("cosine", "2.2.4", "down"), ("cosine_proximity", "2.3.1", "up")]
)
def test_a_cosine_that_is_a_loss_is_better_the_smaller_it_is(name, version, direction):
    model = read_compiled(version, layers.Dense(3), "mse", [name])
    model.fit(X, np.ones((6, 3)), verbose=0)
    assert model._compilation.direction_of(name, model.outputs_told) == direction
    assert (model.evaluate(X, model.predict(X, verbose=0), verbose=0)[1] < 0) is (direction == "down")


@pytest.mark.parametrize(
    ("version", "blended"), [("2.2.4", [0, 1, 2, 2]), ("2.3.1", [0, 1, 2, 2]), ("2.10.0", [0, 0.5, 1.5, 2])]
)
def test_bilinear_upsampling_blends_from_corners_up_to_keras_2_3(version, blended):
    spec = {"class_name": "UpSampling2D", "config": {"name": "a", "size": [1, 2], "interpolation": "bilinear"}}
    layer = layers.deserialize(in_present_words(spec, version))
    y = np.asarray(layer(np.array([0.0, 2.0]).reshape(1, 1, 2, 1)))
    np.testing.assert_allclose(y.ravel(), blended)
