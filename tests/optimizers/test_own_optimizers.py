"""Optimizers written as for Keras: ``build`` makes variables, ``update_step`` updates one weight with them."""

import numpy as np
import pytest

import distnet as keras
from distnet.errors import ArgumentError
from distnet.optimizers import SGD, Adam, Muon, Optimizer
from users_optimizers import Falling, Trusting

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(24, 5)), RNG.normal(size=(24, 3))


def compiled(optimizer):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, activation="tanh"), keras.layers.Dense(3)])
    model.compile(optimizer, "mse")
    return model


def train(model, epochs=2):
    model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return model


class Plain(Optimizer):
    def update_step(self, gradient, variable, learning_rate):
        self.assign_sub(variable, gradient * learning_rate)


class Halved(Adam):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate / 2)


@pytest.mark.parametrize("own", [lambda: Plain(0.05, clipnorm=0.4), lambda: Halved(0.1, weight_decay=0.0)], ids="PH")
def test_one_that_states_a_known_rule_gives_its_steps(own):
    known = SGD(0.05, clipnorm=0.4) if isinstance(own(), Plain) else Adam(0.05)
    made, expected = (train(compiled(optimizer)).get_weights() for optimizer in (own(), known))
    for weight, other in zip(made, expected, strict=True):
        np.testing.assert_allclose(weight, other, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("ending", [".keras", ".h5", ".weights.h5"])
def test_it_is_saved_and_goes_on(ending, tmp_path):
    def make():
        return Trusting(Falling(0.02), use_ema=True, ema_overwrite_frequency=2, gradient_accumulation_steps=3)

    path, model = str(tmp_path / f"model{ending}"), train(compiled(make()))
    (model.save_weights if "weights" in ending else model.save)(path)
    expected = train(model).get_weights()
    if "weights" in ending:
        again = compiled(make())
        again.load_weights(path)
    else:
        with keras.utils.custom_object_scope({"Trusting": Trusting, "Falling": Falling}):
            again = keras.models.load_model(path)
    assert again.optimizer.schedule.first == 0.02
    for weight, other in zip(train(again).get_weights(), expected, strict=True):
        np.testing.assert_array_equal(weight, other)


def test_its_variables_are_listed_as_it_made_them():
    optimizer = train(compiled(Trusting(0.01))).optimizer
    names = [variable.path.split("_")[-1] for variable in optimizer.variables]
    assert names == [
        "trusting/iteration", "rate", *["mean", "square"] * 4, "trusting/product", *["drift"] * 4,
    ]  # fmt: skip
    assert optimizer.product.numpy() == pytest.approx(0.9**optimizer.iterations, rel=1e-6)
    assert optimizer.drifts[0] is optimizer.variables[-4]


def test_a_step_on_some_weights_leaves_the_others_and_their_slots():
    model = compiled("sgd")
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    optimizer = Trusting(0.1)
    optimizer.build(model.trainable_variables)
    gradients = [RNG.normal(size=v.shape) for v in model.trainable_variables]
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    before = [v.numpy() for v in (*model.trainable_variables, *optimizer.means)]
    optimizer.apply_gradients(zip(gradients[1:3], model.trainable_variables[1:3], strict=True))
    after = [v.numpy() for v in (*model.trainable_variables, *optimizer.means)]
    changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert changed == [False, True, True, False] * 2
    optimizer.apply(gradients)
    assert [np.shares_memory(v.value, optimizer.slots["mean"]) for v in optimizer.means] == [True] * 4
    with pytest.raises(ArgumentError, match="was not built for the variable other"):
        optimizer.apply_gradients([(np.ones(2), keras.Variable(np.ones(2, "float32"), name="other"))])


def test_an_apply_of_its_own_is_called_in_fit():
    class Centred(SGD):
        def apply(self, grads, trainable_variables=None):
            self.seen = [v.path for v in trainable_variables]
            super().apply([g - keras.ops.mean(g) for g in grads], trainable_variables)

    model = train(compiled(Centred(0.1)))
    assert len(model.optimizer.seen) == 4
    assert model.optimizer.iterations == 6

    class Named(SGD):
        def apply_gradients(self, grads_and_vars):
            super().apply_gradients([(0.0 * g, v) for g, v in grads_and_vars])

    idle = compiled(Named(0.1, use_ema=True))
    weights = idle.get_weights()
    for weight, before in zip(train(idle).get_weights(), weights, strict=True):
        np.testing.assert_allclose(weight, before, rtol=1e-6)


def test_what_cannot_be_is_refused_by_name():
    class Unbuilt(Optimizer):
        def build(self, variables):
            self.made = []

        def update_step(self, gradient, variable, learning_rate):
            pass

    class Shaped(Optimizer):
        def __init__(self):
            super().__init__(0.1)
            self.history = self.add_variable((3,))

    class Orthogonal(Muon):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)

    with pytest.raises(ArgumentError, match=r"unbuilt: its build\(\) must call super\(\)\.build\(variables\)"):
        train(compiled(Unbuilt()))
    with pytest.raises(ArgumentError, match=r"shaped.add_variable: expected the shape \(\), received \(3,\)"):
        Shaped()
    with pytest.raises(ArgumentError, match="it updates all weights at once"):
        train(compiled(Orthogonal()))


@pytest.mark.parametrize("method", ["get_updates", "_resource_apply_dense"])
def test_ways_of_older_kerases_are_refused(method):
    cls = type("Old", (Optimizer,), {method: lambda self, *args: None})
    with pytest.raises(ArgumentError, match=rf"Old: has a {method}\(\), as in older Kerases.*Define update_step"):
        cls()
