"""Optimizers around optimizers: real Keras's weights and state over 20 steps, files, ranks, wrong arguments."""

import copy
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
import packed
import wrapped_cases
from distnet import models
from distnet.dialects import optimizer_state
from distnet.dialects.optimizer_schemes import KERAS_3
from distnet.errors import ArgumentError, CheckpointError
from distnet.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, Nadam, OptimizerMap
from wrapped_cases import HUGE, X, Y

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def arrays():
    return packed.load(GOLDEN / "wrapped.npz")[0]


@pytest.fixture
def in_float64():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


def state_of(model):
    return [array for _, array in optimizer_state.arrays(KERAS_3, model.optimizer, model.store)]


@pytest.mark.parametrize("case", wrapped_cases.CASES)
def test_weights_scale_and_state_are_keras_s_over_20_steps(case, arrays, in_float64):
    for name, values in wrapped_cases.run(keras, case, state_of).items():
        np.testing.assert_allclose(values, arrays[case + name], rtol=1e-11, atol=1e-13, err_msg=name)


def scaling(inner=None, **options):
    return LossScaleOptimizer(inner or SGD(0.1), **options)


def mapping(**options):
    return MultiOptimizer(OptimizerMap(SGD(0.1, momentum=0.9), {".*first.*": Adam(0.05)}), **options)


def test_a_scaled_gradient_that_overflows_float32_is_left_out_and_halves_the_scale():
    model = wrapped_cases.model_of(keras, scaling(initial_scale=2.0**125))
    model.train_on_batch(X, Y)
    before = model.get_weights()
    model.train_on_batch(X, Y, sample_weight=np.full(len(X), 1e5))
    for w, v in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)
    assert (float(model.optimizer.dynamic_scale), model.optimizer.iterations) == (2.0**124, 1)


def test_the_scale_stays_a_number_of_float32():
    growing = wrapped_cases.model_of(keras, scaling(initial_scale=2.0**126, dynamic_growth_steps=1))
    falling = wrapped_cases.model_of(keras, scaling(initial_scale=1e-37))
    for _ in range(4):
        growing.train_on_batch(X, Y, sample_weight=np.full(len(X), 1e-3))
        falling.store.gradients[...] = np.nan
        falling.optimizer.apply(falling.store)
    assert float(growing.optimizer.dynamic_scale) == 2.0**127
    assert float(falling.optimizer.dynamic_scale) == np.finfo(np.float32).tiny


def test_scale_loss_multiplies_by_what_the_gradients_are_divided_by():
    assert scaling(initial_scale=8.0).scale_loss(3.0) == 24
    assert SGD(loss_scale_factor=4.0).scale_loss([1.0, 2.0]).tolist() == [4.0, 8.0]
    assert SGD().scale_loss(3.0) == 3


def test_the_learning_rate_is_the_inner_optimizer_s():
    optimizer = scaling()
    optimizer.learning_rate = 0.2
    assert float(optimizer.inner_optimizer.learning_rate) == float(optimizer.learning_rate) == 0.2
    optimizer.learning_rate.assign(0.3)
    assert float(optimizer.inner_optimizer.learning_rate) == 0.3


@pytest.mark.parametrize("call", [lambda o: o.learning_rate, lambda o: setattr(o, "learning_rate", 0.1)])
def test_several_optimizers_have_no_learning_rate_of_their_own(call):
    with pytest.raises(AttributeError, match="one of its optimizers"):
        call(mapping())
    assert not hasattr(mapping(), "learning_rate")


CALLBACKS = {
    "schedule": lambda: keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5),
    "plateau": lambda: keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=9.0),
    "averages": lambda: keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
}


@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_act_on_the_optimizer_within(name):
    def train(wrap):
        model = wrapped_cases.model_of(keras, wrap(SGD(0.1, use_ema=True)))
        history = model.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), callbacks=[CALLBACKS[name]()])
        return [*history.history["val_loss"], *map(np.sum, model.get_weights())]

    expected = train(lambda inner: inner)
    assert train(lambda inner: scaling(inner, initial_scale=4.0)) == pytest.approx(expected, abs=1e-9)
    if name == "averages":
        assert train(lambda inner: MultiOptimizer(OptimizerMap(inner))) == pytest.approx(expected, abs=1e-9)


def test_keys_are_matched_with_keras_s_paths():
    first, second, default = Adam(), Adam(), SGD()
    optimizers = OptimizerMap(default, {"sequential/first/kernel": first, ".*/second/.*": second})
    model = wrapped_cases.model_of(keras, MultiOptimizer(optimizers))
    assert [v.path for v in model.weights][:2] == ["sequential/first/kernel", "sequential/first/bias"]
    assert [optimizers(v) for v in model.weights] == [first, default, second, second]
    assert optimizers["sequential/first/kernel"] is first
    assert [len(optimizers), list(optimizers)] == [2, ["sequential/first/kernel", ".*/second/.*"]]


@pytest.mark.parametrize("key", ["first/kernel", "first/.*"])
def test_a_key_without_the_name_of_the_sequential_model_is_refused(key):
    model = wrapped_cases.model_of(keras, MultiOptimizer(OptimizerMap(SGD(), {key: Adam()})))
    with pytest.raises(ArgumentError, match="Begin it with 'sequential/'"):
        model.fit(X, Y, verbose=0)


def test_two_keys_for_one_variable_are_refused():
    model = wrapped_cases.model_of(keras, MultiOptimizer(OptimizerMap(SGD(), {".*kernel": Adam(), ".*first.*": SGD()})))
    with pytest.raises(ArgumentError, match=r"expected one key that matches 'sequential/first/kernel', received"):
        model.fit(X, Y, verbose=0)


WRONG = {
    "an optimizer by name": lambda: LossScaleOptimizer("adam"),
    "one scaled twice": lambda: scaling(scaling()),
    "a constant scale": lambda: scaling(dynamic=False),
    "a learning rate": lambda: scaling(learning_rate=0.1),
    "an option of every optimizer": lambda: scaling(clipnorm=1.0),
    "another one": lambda: scaling(use_ema=True),
    "a scale of nothing": lambda: scaling(initial_scale=0),
    "half a step": lambda: scaling(dynamic_growth_steps=1.5),
    "no map": lambda: MultiOptimizer(Adam()),
    "a dict for a map": lambda: MultiOptimizer({"a": Adam()}),
    "an option of several": lambda: mapping(weight_decay=0.1),
    "a name as the default": lambda: OptimizerMap("sgd"),
    "a list as the map": lambda: OptimizerMap(SGD(), [Adam()]),
    "a number as a key": lambda: OptimizerMap(SGD(), {3: Adam()}),
    "no expression as a key": lambda: OptimizerMap(SGD(), {"*": Adam()}),
    "a name in the map": lambda: OptimizerMap(SGD(), {"a": "adam"}),
    "a scaled one in the map": lambda: OptimizerMap(SGD(), {"a": scaling()}),
    "several in the map": lambda: OptimizerMap(mapping()),
    "a key twice": lambda: OptimizerMap(SGD(), {"a": Adam()}).__setitem__("a", SGD()),
    "no decay": lambda: scaling().exclude_from_weight_decay(var_names=["bias"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_refused(name):
    with pytest.raises(ArgumentError, match=r"[Ee]xpected|cannot be given|has 'a' already|decays no weights"):
        WRONG[name]()


def test_a_function_that_gives_no_optimizer_is_refused():
    with pytest.raises(ArgumentError, match="expected an optimizer for sequential/first/kernel"):
        wrapped_cases.model_of(keras, MultiOptimizer(lambda variable: "adam")).fit(X, Y, verbose=0)


def test_the_options_that_early_keras_3_wrote_are_read():
    config = scaling().get_config() | {"weight_decay": None, "use_ema": False, "ema_momentum": 0.99, "dynamic": True}
    made = LossScaleOptimizer.from_config(config)
    assert (type(made.inner_optimizer), made.initial_scale, made.dynamic_growth_steps) == (SGD, 2.0**15, 2000)


by_kind = {}


@keras.utils.register_keras_serializable("tests")
def choose(variable):
    """One optimizer for kernels, one for the others."""
    kind = variable.name == "kernel"
    return by_kind.setdefault(kind, Adam(0.05) if kind else SGD(0.1, momentum=0.9))


SAVED = {
    "scaled": lambda: scaling(Nadam(0.05), initial_scale=64.0, dynamic_growth_steps=3),
    "map": mapping,
    "function": lambda: MultiOptimizer(choose),
    "shared": lambda: wrapped_cases.shared(keras),
}


@pytest.mark.parametrize("ending", [".h5", ".keras"])
@pytest.mark.parametrize("name", SAVED)
def test_training_goes_on_from_a_file_as_if_it_had_never_stopped(name, ending, tmp_path):
    by_kind.clear()
    model = wrapped_cases.model_of(keras, SAVED[name]())
    model.fit(X, Y, epochs=4, batch_size=2, shuffle=False, verbose=0)
    model.save(tmp_path / f"m{ending}")
    by_kind.clear()
    again = models.load_model(tmp_path / f"m{ending}")
    for trained in (model, again):
        trained.fit(X, Y, epochs=8, initial_epoch=4, batch_size=2, shuffle=False, verbose=0)
    for w, v in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


def test_the_state_of_other_optimizers_is_refused(tmp_path):
    model = wrapped_cases.model_of(keras, mapping())
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "m.h5")
    other = wrapped_cases.model_of(keras, MultiOptimizer(OptimizerMap(SGD(0.1), {".*first.*": Nadam()})))
    with pytest.raises(CheckpointError, match="expected the state of one Nadam for the weights 0, 1"):
        other.fit(X, Y, epochs=2, verbose=0, resume=tmp_path / "m.h5")


def test_keras_2_is_not_told_of_them(tmp_path):
    for optimizer in (scaling(), mapping()):
        with pytest.raises(CheckpointError, match="not written for Keras 2"):
            wrapped_cases.model_of(keras, optimizer).save(tmp_path / "m.h5", keras_optimizer=True)


@pytest.mark.parametrize("make", [lambda: scaling(Adam(0.05)), mapping])
def test_weights_that_stay_trained_keep_their_state_when_others_are_frozen(make):
    model = wrapped_cases.model_of(keras, make())
    model.fit(X, Y, epochs=3, verbose=0)
    model.layers[1].trainable = False
    model.stop_training = True
    kept = model.layers[1].get_weights()
    model.fit(X, Y, epochs=1, verbose=0)
    np.testing.assert_array_equal(model.layers[1].get_weights()[0], kept[0])
    held = [part for inner, _ in model.optimizer.within(model.store) for part in inner.slots.values() if part.size]
    assert len(held) > 1
    assert all(part.any() for part in held)


def test_a_copy_is_apart():
    optimizer = scaling(initial_scale=2.0)
    twin = copy.deepcopy(optimizer)
    twin.learning_rate = 0.7
    assert float(optimizer.learning_rate) == 0.1


def test_one_batch_of_huge_weights_leaves_training_as_it_was():
    model = wrapped_cases.model_of(keras, scaling(initial_scale=2.0**20))
    before = model.get_weights()
    with np.errstate(over="ignore", invalid="ignore"):
        model.train_on_batch(X, Y, sample_weight=np.minimum(HUGE, 1e38))
    for w, v in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)
