"""What every optimizer owes: its names, its state, the flat buffers."""

import copy
import tracemalloc

import numpy as np
import pytest

from distnet import Sequential, layers, optimizers
from distnet.errors import ArgumentError, UnknownNameError
from distnet.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Ftrl, Nadam, RMSprop, formulas, schedules
from distnet.variables import VariableStore
from kernel_sets import NEEDS_NUMBA

SHAPES = {"kernel": (3, 7), "bias": (7,), "scale": ()}
OPTIONS = {
    "plain": {},
    "everything": {
        "weight_decay": 0.01,
        "global_clipnorm": 1.0,
        "use_ema": True,
        "ema_overwrite_frequency": 2,
        "gradient_accumulation_steps": 2,
        "loss_scale_factor": 2.0,
        "learning_rate": schedules.CosineDecay(0.1, 9),
    },
}


WRAPPERS = {"LossScaleOptimizer", "MultiOptimizer"}
"""They need optimizers to be made of: see ``test_wrapping``."""


@pytest.fixture(params=sorted(OPTIMIZERS.classes().keys() - WRAPPERS))
def kind(request):
    return OPTIMIZERS.classes()[request.param]


@pytest.fixture(params=sorted(OPTIONS))
def optimizer(kind, request):
    return kind(**OPTIONS[request.param])


@pytest.fixture
def store(make_store):
    return make_store(SHAPES, np.random.default_rng(0).standard_normal(29))


def gradient(k):
    return np.random.default_rng(k).standard_normal(29)


def test_keras_s_optimizers_are_there_and_what_is_there_is_public():
    expected = "SGD RMSprop Adam AdamW Adagrad Adadelta Adamax Nadam Ftrl Lion Lamb Adafactor Muon ScheduleFreeAdamW"
    assert {*expected.split(), *WRAPPERS} <= OPTIMIZERS.classes().keys() <= {*optimizers.__all__}


def test_names_are_found_in_any_case(kind):
    for spec in (kind.__name__, kind.__name__.lower(), kind.__name__.upper(), kind, kind()):
        assert type(optimizers.get(spec)) is kind
    assert type(optimizers.get({"class_name": f"Custom>{kind.__name__}", "config": {"jit_compile": True}})) is kind


def test_an_unknown_name_is_answered_with_a_near_one():
    with pytest.raises(UnknownNameError, match="'Adam'"):
        optimizers.get("adamm")


@pytest.mark.parametrize("cut", [1, 4])
def test_state_restored_from_slots_and_scalars_continues_identically(optimizer, store, make_store, step, cut):
    for k in range(cut):
        step(optimizer, store, gradient(k))
    twin_store = make_store(SHAPES)
    twin_store.weights[:], twin_store.frozen[:] = store.weights, store.frozen
    twin = optimizers.deserialize(optimizers.serialize(optimizer))
    twin.build(twin_store)
    assert twin.slots.keys() == optimizer.slots.keys()
    for name, slot in optimizer.slots.items():
        twin.slots[name][:] = slot
    twin.scalars.update(optimizer.scalars)
    for k in range(cut, 9):
        step(optimizer, store, gradient(k))
        step(twin, twin_store, gradient(k))
    np.testing.assert_array_equal(twin_store.weights, store.weights)
    assert twin.scalars == optimizer.scalars


def test_a_copy_continues_identically_and_apart(optimizer, store, step):
    step(optimizer, store, gradient(0))
    twin, twin_store = copy.deepcopy((optimizer, store))
    for k in range(1, 4):
        step(optimizer, store, gradient(k))
    assert twin.scalars["iteration"] == 1
    for k in range(1, 4):
        step(twin, twin_store, gradient(k))
    np.testing.assert_array_equal(twin_store.weights, store.weights)


@pytest.mark.parametrize("epsilon", [None, 0.0])
def test_padding_between_variables_stays_zero(optimizer, store, step, values, epsilon):
    if epsilon is not None and hasattr(optimizer, "epsilon"):
        optimizer.epsilon = epsilon
    for k in range(5):
        step(optimizer, store, gradient(k))
    assert np.isfinite(values(store.weights, store)).all()
    covered = np.zeros(store.size, bool)
    for span in store.spans:
        covered[span.start : span.stop] = True
    assert not covered.all()
    assert not store.weights[~covered].any()


def test_zero_gradients_leave_finite_weights(optimizer, store, step):
    for _ in range(4):
        step(optimizer, store, np.zeros(29))
    assert np.isfinite(store.weights).all()


def test_a_model_without_weights_is_trained_as_any(optimizer):
    store = VariableStore([], np.dtype("float32"))
    for _ in range(3):
        optimizer.apply(store)
    optimizer.finalize_variable_values(store)
    assert optimizer.scalars["iteration"] == 3


def test_a_variable_without_entries_does_no_harm(optimizer, make_store, step):
    store = make_store({"empty": (0, 3), "bias": (2,)}, np.ones(2))
    for _ in range(3):
        step(optimizer, store, np.ones(2))
    assert np.isfinite(store.weights).all()


def test_frozen_variables_are_left_alone(optimizer, store, step):
    store.variables[1].trainable = False
    frozen = VariableStore(store.variables, store.dtype)
    before = store.variables[1].numpy()
    for k in range(3):
        step(optimizer, frozen, gradient(k)[:22])
    np.testing.assert_array_equal(store.variables[1].value, before)


@NEEDS_NUMBA
def test_a_step_allocates_nothing_that_grows_with_the_model(optimizer, make_store, monkeypatch):
    if isinstance(optimizer, optimizers.Muon):
        pytest.skip("multiplies matrices, whose products need memory")
    monkeypatch.setenv("DISTNET_KERNELS", "numba")
    store = make_store({"kernel": (500, 500)}, np.ones(250_000), np.float32)
    for _ in range(2):
        optimizer.apply(store)
    tracemalloc.start()
    for _ in range(2):
        optimizer.apply(store)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000


def test_build_is_repeatable_for_variables_that_lie_alike(optimizer, store, make_store, step):
    step(optimizer, store, gradient(0))
    before = {name: slot.copy() for name, slot in optimizer.slots.items()}
    optimizer.build(make_store(SHAPES))
    assert all(np.array_equal(optimizer.slots[name], slot) for name, slot in before.items())
    with pytest.raises(ArgumentError, match="Make a new optimizer"):
        optimizer.build(make_store({**SHAPES, "bias": (8,)}))
    with pytest.raises(ArgumentError, match="expected 3 variables, received 1"):
        optimizer.build(make_store({"kernel": (3, 7)}))


def test_slots_follow_their_variables_to_another_layout(optimizer, store, step, values):
    step(optimizer, store, gradient(0))
    before = {name: values(slot, store) for name, slot in optimizer.slots.items()}
    kernel, bias, scale = store.variables
    without_bias = VariableStore([kernel, scale], store.dtype)
    optimizer.follow(store, without_bias)
    whole = VariableStore([kernel, bias, scale], store.dtype)
    optimizer.follow(without_bias, whole)
    fresh = {**optimizer.initial_slots()}
    if isinstance(optimizer, optimizers.ScheduleFreeAdamW):
        fresh["momentum"] = values(whole.weights, whole)[21:28]
    for name, slot in optimizer.slots.items():
        after = values(slot, whole)
        np.testing.assert_array_equal(after[:21], before[name][:21])
        np.testing.assert_array_equal(after[21:28], fresh.get(name, 0.0))
        np.testing.assert_array_equal(after[28:], before[name][28:])


def test_names_are_keras_s_by_default():
    assert [SGD().name, RMSprop().name, AdamW().name, Nadam().name] == ["sgd", "rm_sprop", "adam_w", "nadam"]
    assert SGD(name="mine").get_config()["name"] == "mine"
    assert SGD(name=None).name == "sgd"


def test_positional_arguments_are_in_keras_s_order():
    assert SGD(0.1, 0.9, True).get_config().items() >= {"momentum": 0.9, "nesterov": True}.items()
    assert RMSprop(0.1, 0.8, 0.7, 1e-3, True).get_config().items() >= {"rho": 0.8, "epsilon": 1e-3}.items()
    decayed = AdamW(0.1, 0.2, 0.3, 0.4).get_config()
    assert (decayed["weight_decay"], decayed["beta_1"], decayed["beta_2"]) == (0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(momentum=1.5), r"SGD.momentum: expected a number in \[0, 1\], received 1.5"),
        (lambda: Adam(beta_1=1.0), r"Adam.beta_1: expected a number in \[0, 1\), received 1.0"),
        (lambda: Adam(beta_2="0.9"), "Adam.beta_2"),
        (lambda: RMSprop(rho=-0.1), "RMSprop.rho"),
        (lambda: RMSprop(epsilon=float("nan")), "RMSprop.epsilon"),
        (lambda: Ftrl(learning_rate_power=0.5), r"learning_rate_power: expected a number in \(-inf, 0\]"),
        (lambda: Adam(clipnorm=1.0, clipvalue=1.0), "at most one of clipnorm"),
        (lambda: Adam(clipnorm=-1.0), "Adam.clipnorm"),
        (lambda: Adam(ema_momentum=2), "ema_momentum"),
        (lambda: Adam(use_ema=True, ema_overwrite_frequency=0), "ema_overwrite_frequency"),
        (lambda: Adam(gradient_accumulation_steps=1), "gradient_accumulation_steps"),
        (lambda: Adam(gradient_accumulation_steps=2.0), "gradient_accumulation_steps"),
        (lambda: Adam(loss_scale_factor=0.0), "loss_scale_factor"),
        (lambda: AdamW(weight_decay=None), "AdamW.weight_decay"),
        (lambda: Nadam(decay=0.1), "Nadam.decay"),
        (lambda: Adam.from_config({"momentum": 0.9}), "momentum"),
    ],
)
def test_unusable_arguments_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_configs_of_early_keras_are_read():
    adam = {"lr": 0.05, "beta_1": 0.9, "beta_2": 0.99, "decay": 0.0, "epsilon": None, "amsgrad": False}
    optimizer = optimizers.deserialize({"class_name": "Adam", "config": adam})
    assert (optimizer.learning_rate, optimizer.epsilon, optimizer.beta_2) == (0.05, 1e-7, 0.99)
    nadam = {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "schedule_decay": 0.004}
    assert optimizers.deserialize({"class_name": "Nadam", "config": nadam}).learning_rate == 0.002


def test_numbers_of_numpy_are_written_as_json():
    assert type(SGD(momentum=np.float32(0.5)).get_config()["momentum"]) is float


def test_variables_are_the_count_the_learning_rate_and_each_slot(store):
    adam = Adam(0.25)
    assert [(v.name, float(v.value)) for v in adam.variables] == [("iteration", 0), ("learning_rate", 0.25)]
    store.gradients[...] = 1
    adam.apply(store)
    found = adam.variables
    assert (found[0].numpy(), len(found)) == (1, 2 + 2 * len(SHAPES))
    assert [v.shape for v in found[2::2]] == list(SHAPES.values())
    np.testing.assert_allclose(found[2].numpy(), np.full((3, 7), 0.1), rtol=1e-6)


def test_an_optimizer_of_ones_own_states_its_rule_alone(ones_store, step, values):
    class Descent(optimizers.Optimizer):
        def rule(self, learning_rate):
            return formulas.sgd, (learning_rate,)

    step(Descent(0.25), ones_store, np.ones(10))
    np.testing.assert_array_equal(values(ones_store.weights, ones_store), np.full(10, 0.75))


def test_an_optimizer_without_a_rule_says_what_is_missing(store):
    class Ruleless(optimizers.Optimizer):
        pass

    with pytest.raises(NotImplementedError, match=r"^Ruleless: an optimizer needs a rule\(self, learning_rate\)"):
        Ruleless(0.5).apply(store)


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_a_subclass_may_call_its_fields_as_it_likes(kind, ones_store, step):
    class Named(kind):
        def __init__(self, learning_rate=0.1):
            super().__init__(learning_rate)
            self.clip = self.average = self.accumulate = self.decay_weights = self.rests = self.biases = None

    step(Named(), ones_store, np.ones(10))
    assert (ones_store.weights < 1).any()


@pytest.mark.parametrize("is_laid_out_anew", [False, True])
@pytest.mark.parametrize(
    ("option", "value", "slot"),
    [
        ("momentum", 0.5, "momentum"),
        ("use_ema", True, "average"),
        ("gradient_accumulation_steps", 2, "gradient_accumulator"),
    ],
)
def test_an_option_that_needs_a_slot_too_late_is_named(option, value, slot, is_laid_out_anew):
    model = Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile(optimizers.SGD(0.1), "mse")
    model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
    setattr(model.optimizer, option, value)
    model.layers[0].bias.trainable = not is_laid_out_anew
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"'{slot}'.*before the first step"):
            model.train_on_batch(np.ones((3, 2)), np.ones((3, 1)))
