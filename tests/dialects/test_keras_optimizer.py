"""An optimizer's state in the order and by the names of each generation of Keras, there and back."""

import numpy as np
import pytest

from distnet import errors, layers, models, optimizers
from distnet.dialects import optimizer_state as ko

SCHEMES = {"keras_3": ko.KERAS_3, "tf_keras": ko.TF_KERAS, "legacy": ko.LEGACY, "standalone": ko.STANDALONE}
OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, momentum=0.9),
    "rmsprop": lambda: optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "adam": lambda: optimizers.Adam(0.1),
    "amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True),
    "adamw": lambda: optimizers.AdamW(0.1),
    "adamax": lambda: optimizers.Adamax(0.1),
    "nadam": lambda: optimizers.Nadam(0.1),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adadelta": lambda: optimizers.Adadelta(0.1),
    "ftrl": lambda: optimizers.Ftrl(0.1),
    "lion": lambda: optimizers.Lion(0.1),
    "lamb": lambda: optimizers.Lamb(0.1),
}
X = np.linspace(-1, 1, 16, dtype="float32").reshape(8, 2)
Y = X.sum(1, keepdims=True)


def make(optimizer, norm=True):
    frozen = layers.Dense(3, name="a", trainable=False)
    normalized = layers.BatchNormalization(name="norm", trainable=norm)
    model = models.Sequential([layers.Input((2,)), frozen, normalized, layers.Dense(1, name="b")])
    model.compile(optimizer, "mse")
    return model


def trained(optimizer):
    model = make(optimizer)
    model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
    return model


def state_of(model):
    return {**model.optimizer.scalars, **{name: slot.copy() for name, slot in model.optimizer.slots.items()}}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_a_state_comes_back_from_every_generations_list(kind, scheme):
    model = trained(OPTIMIZERS[kind]())
    listed = ko.arrays(SCHEMES[scheme], model.optimizer, model.store)
    names, values = [entry.name for entry, _ in listed], [value.copy() for _, value in listed]
    assert len(set(names)) == len(names)
    assert [entry.shape for entry, _ in listed] == [value.shape for value in values]
    for given in (names, None):
        again = make(OPTIMIZERS[kind]())
        ko.fill(again.optimizer, again.store, values, given, SCHEMES[scheme])
        expected = {key: np.float32(value) for key, value in state_of(model).items()}
        found = {key: np.float32(value) for key, value in state_of(again).items()}
        if scheme == "tf_keras":
            expected.pop("u_product", None), found.pop("u_product", None)
        np.testing.assert_equal(found, expected)


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [
        (
            "keras_3",
            ["adam/iteration", "adam/learning_rate", "adam/{model}_b_kernel_average", "adam/{model}_b_bias_average",
             "adam/{model}_b_kernel_gradient_accumulator", "adam/{model}_b_bias_gradient_accumulator",
             "adam/{model}_b_kernel_momentum", "adam/{model}_b_kernel_velocity", "adam/{model}_b_bias_momentum",
             "adam/{model}_b_bias_velocity", "adam/{model}_b_kernel_velocity_hat", "adam/{model}_b_bias_velocity_hat"],
        ),
        (
            "tf_keras",
            ["iteration:0", "adam/average/b/kernel:0", "adam/average/b/bias:0", "adam/gradient_accumulator/b/kernel:0",
             "adam/gradient_accumulator/b/bias:0", "adam/m/b/kernel:0", "adam/v/b/kernel:0", "adam/m/b/bias:0",
             "adam/v/b/bias:0", "adam/vhat/b/kernel:0", "adam/vhat/b/bias:0"],
        ),
    ],
)  # fmt: skip
def test_the_names_and_their_order_are_kerass(scheme, expected):
    model = make(optimizers.Adam(amsgrad=True, use_ema=True, gradient_accumulation_steps=2), norm=False)
    model.optimizer.build(model.store)
    names = [entry.name for entry in SCHEMES[scheme].entries(model.optimizer, model.store)]
    assert names == [name.format(model=model.name) for name in expected]


def test_the_older_lists_go_slot_by_slot():
    model = trained(optimizers.RMSprop(momentum=0.5))
    listed = [entry.name for entry in ko.LEGACY.entries(model.optimizer, model.store)]
    assert listed[0] == "rm_sprop/iter:0"
    assert listed[1:5] == [f"rm_sprop/{path}/rms:0" for path in ("norm/gamma", "norm/beta",
                                                                "b/kernel", "b/bias")]  # fmt: skip
    listed = [entry.what for entry in ko.STANDALONE.entries(model.optimizer, model.store)]
    assert listed == ["iteration", *["velocity"] * 4, *["momentum"] * 4]


def test_keras_2_2_saves_no_count_of_rmsprop():
    model = trained(optimizers.RMSprop())
    listed = [value for _, value in ko.arrays(ko.STANDALONE, model.optimizer, model.store)][1:]
    again = make(optimizers.RMSprop())
    ko.fill(again.optimizer, again.store, listed, [f"training/RMSprop/Variable_{i}:0" for i in range(len(listed))])
    np.testing.assert_array_equal(again.optimizer.slots["velocity"], model.optimizer.slots["velocity"])


def test_nadams_product_is_computed_where_keras_does_not_save_it():
    # tf_keras's graph multiplies it once for each of the four variables.
    model = trained(optimizers.Nadam())
    again = make(optimizers.Nadam())
    listed = ko.arrays(ko.TF_KERAS, model.optimizer, model.store)
    ko.fill(again.optimizer, again.store, [value for _, value in listed], [entry.name for entry, _ in listed])
    assert again.optimizer.scalars["u_product"] == pytest.approx(model.optimizer.scalars["u_product"] ** 4, rel=1e-12)


def test_the_slots_names_decide_not_their_order():
    model = trained(optimizers.Adam())
    listed = ko.arrays(ko.KERAS_3, model.optimizer, model.store)
    apart = [*listed[:2], *listed[2::2], *listed[3::2]]
    again = make(optimizers.Adam())
    ko.fill(again.optimizer, again.store, [value for _, value in apart], [entry.name for entry, _ in apart])
    np.testing.assert_array_equal(again.optimizer.slots["momentum"], model.optimizer.slots["momentum"])


def test_an_optimizer_saved_before_its_first_step_stays_fresh():
    model = make(optimizers.Adam())
    ko.fill(model.optimizer, model.store, [np.int32(0), np.float32(0.25)], ["adam/iteration", "adam/learning_rate"])
    assert model.optimizer.scalars == {"iteration": 0, "learning_rate": 0.25}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda listed: listed[:-1], r"adam: expected velocity for 4 trained weights, found it for 3"),
        (lambda listed: listed[:2], r"adam: expected momentum for 4 trained weights, found it for 0"),
        (lambda listed: [*listed[:2], (listed[2][0], np.ones(9)), *listed[3:]],
         r"adam: expected momentum of norm/gamma to be of shape \(3,\), found \(9,\)"),
    ],
    ids=["too few", "none", "another shape"],
)  # fmt: skip
def test_another_models_state_is_refused_whole(spoil, message):
    model = trained(optimizers.Adam())
    listed = spoil(ko.arrays(ko.KERAS_3, model.optimizer, model.store))
    again = make(optimizers.Adam())
    before = {**again.optimizer.scalars}
    with pytest.raises(errors.CheckpointError, match=message):
        ko.fill(again.optimizer, again.store, [value for _, value in listed], [entry.name for entry, _ in listed])
    assert again.optimizer.scalars == before
    assert not any(slot.any() for slot in again.optimizer.slots.values())
