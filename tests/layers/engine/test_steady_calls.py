"""Calls of users' layers that are made again without the layer: the same numbers as when its ``call`` runs."""

from __future__ import annotations

import numpy as np
import pytest

import distnet
from distnet import layers, ops
from distnet.callbacks import LambdaCallback
from distnet.layers.engine.function_text import NotStraight
from distnet.layers.engine.plan import WholeCall
from distnet.layers.engine.straight_text import StraightText

STEPS, ROWS, WIDTH = 6, 8, 5
FACTOR = 1.5
FACTORS = [1.0, 2.0]


class Own(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.scale, self.activate, self.count, self.factors = 2.0, distnet.activations.relu, 0, [1.0, 2.0]

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], shape[-1]), initializer="glorot_uniform")
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros")
        self.state = self.add_weight(shape=(shape[-1],), initializer="ones", trainable=False)


class Dense(Own):
    def call(self, inputs):
        """As a user writes it."""
        y = ops.matmul(inputs, self.kernel)
        y = y + self.bias
        return self.activate(y) / self.scale


class OfGlobal(Own):
    def call(self, x):
        return ops.tanh(x @ self.kernel) * FACTOR


class WeightTwice(Own):
    def call(self, x):
        return ops.softmax(ops.sigmoid(-(x @ self.kernel) @ (self.kernel * 2.0)), axis=-1)


class IgnoresWeights(Own):
    def call(self, x, training=None):
        return ops.relu(x)


class Inherits(Dense):
    pass


STRAIGHT = [Dense, OfGlobal, WeightTwice, IgnoresWeights, Inherits]


class Counts(Own):
    def call(self, x):
        self.count += 1
        return x @ self.kernel * float(self.count)


class Branches(Own):
    def call(self, x):
        return ops.relu(x @ self.kernel) if self.scale > 2.0 else x @ self.kernel


class InPlace(Own):
    def call(self, x):
        return x @ self.kernel * self.factors[0]


class GlobalInPlace(Own):
    def call(self, x):
        return x @ self.kernel * FACTORS[1]


class Masks(Own):
    def call(self, x):
        return ops.where(x > 0.5, x @ self.kernel, x)


class Compares(Own):
    def call(self, x):
        return x @ self.kernel * ops.cast(ops.greater(x, 0.5), "float32")


class Stops(Own):
    def call(self, x):
        return x @ self.kernel * ops.stop_gradient(x)


class Composed(Own):
    def call(self, x):
        return ops.elu(x @ self.kernel) + ops.normalize(x)


class OfState(Own):
    def call(self, x):
        self.state.assign(self.state + 0.5)
        return x @ self.kernel + self.state


class ReadsState(Own):
    def call(self, x):
        return x @ self.kernel + self.state


class AddsLoss(Own):
    def call(self, x):
        y = x @ self.kernel
        self.add_loss(ops.sum(y) * 0.01)
        return y


class Keeps(Own):
    def call(self, x):
        y = x @ self.kernel
        y = y if self.count == 0 else y + ops.stop_gradient(self.before) * 0.1
        self.before, self.count = ops.sum(y), 1
        return y


class Draws(Own):
    def call(self, x):
        return x @ self.kernel + distnet.random.normal(ops.shape(x))


class OfTraining(Own):
    def call(self, x, training=False):
        return x @ self.kernel * (2.0 if training else 1.0)


class Decorated(Own):
    @staticmethod
    def _twice(call):
        def twice(self, x):
            self.count += 1
            return call(self, x) * float(self.count)

        return twice

    def call(self, x):
        return x @ self.kernel

    call = _twice(call)


class Hidden(Own):
    @property
    def share(self):
        self.count += 1
        return float(self.count)

    def call(self, x):
        return x @ self.kernel * self.share


NOT_STRAIGHT = [
    *(Counts, Branches, InPlace, GlobalInPlace, Masks, Stops, Composed, OfState, ReadsState, AddsLoss, Keeps, Draws),
    *(OfTraining, Decorated, Hidden, Compares),
]


def change_nothing(layer, step):
    pass


def set_attributes(layer, step):
    layer.scale = 1.0 + step
    layer.activate = [distnet.activations.tanh, distnet.activations.relu][step % 2]


def change_in_place(layer, step):
    layer.factors[0] = FACTORS[1] = 1.0 + step


def set_global(layer, step):
    global FACTOR
    FACTOR = 1.0 + step


def set_method(layer, step):
    if step == 3:
        type(layer).call = lambda self, x, training=None: x @ self.kernel + float(step)


pytestmark = pytest.mark.filterwarnings("ignore:.*no gradient flows")


def set_own_method(layer, step):
    if step == 3:
        layer.call = lambda x, training=None: x @ layer.kernel + float(step)


def set_class(layer, step):
    if step == 3:
        layer.__class__ = OfGlobal


CHANGES = [change_nothing, set_attributes, change_in_place, set_global, set_method, set_own_method, set_class]


def trained(kind, change, is_eager):
    """The losses and weights of a model whose layer is changed before each step, and how many calls were steady."""
    global FACTOR
    FACTOR, FACTORS[1] = 1.5, 2.0
    before, steady = vars(kind).get("call"), []

    def counted(self, x):
        y = made(self, x)
        steady.append(self.saved.once_more() is not None)
        return y

    made, WholeCall.forward = WholeCall.forward, counted
    try:
        distnet.utils.set_random_seed(3)
        layer = kind()
        model = distnet.Sequential([distnet.Input((WIDTH,)), layers.Dense(WIDTH), layer, layers.Dense(2)])
        model.compile("sgd", "mse", run_eagerly=is_eager)
        x = np.random.default_rng(0).random((STEPS * ROWS, WIDTH), np.float32)
        losses = []
        model.fit(
            x, x[:, :2], ROWS, epochs=1, verbose=0, shuffle=False,
            callbacks=[LambdaCallback(
                on_train_batch_begin=lambda batch, logs: change(layer, batch),
                on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]),
            )],
        )  # fmt: skip
    finally:
        WholeCall.forward = made
        if before is not None:
            kind.call = before
        elif "call" in vars(kind):
            del kind.call
    return losses, model.get_weights(), steady


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("kind", [*STRAIGHT, *NOT_STRAIGHT], ids=lambda kind: kind.__name__)
def test_a_call_made_again_gives_the_numbers_of_the_layer(kind, change):
    losses, weights, steady = trained(kind, change, False)
    expected, expected_weights, _ = trained(kind, change, True)
    assert losses == expected
    for w, e in zip(weights, expected_weights, strict=True):
        np.testing.assert_array_equal(w, e)
    if change is change_nothing:
        assert steady == [kind in STRAIGHT]


def test_text_that_is_not_that_of_the_code_is_not_believed(tmp_path, monkeypatch):
    source = "class {name}(Own):\n    def call(self, x):\n        return {result}\n"
    path = tmp_path / "user_layers.py"
    path.write_text(source.format(name="Early", result="x @ self.kernel"))
    names = {"Own": Own}
    exec(compile(path.read_text(), str(path), "exec"), names)  # noqa: S102 - a file that changes while it runs
    layer = names["Early"]()
    layer.build_once((None, WIDTH))
    assert StraightText(layer, 1).holds()
    exec(compile("\n" + path.read_text().replace("x @", "2 * x @"), str(path), "exec"), names)  # noqa: S102
    other = names["Early"]()
    other.build_once((None, WIDTH))
    with pytest.raises(NotStraight):
        StraightText(other, 1)


def test_a_call_without_text_runs_anew_each_time():
    names = {"Own": Own}
    exec("class Nowhere(Own):\n    def call(self, x):\n        return x @ self.kernel", names)  # noqa: S102
    layer = names["Nowhere"]()
    layer.build_once((None, WIDTH))
    with pytest.raises(NotStraight):
        StraightText(layer, 1)


class EndsInALayer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm, self.dense = layers.LayerNormalization(), layers.Dense(WIDTH)

    def call(self, x):
        return self.norm(ops.relu(x) + x)


class BeginsWithALayer(EndsInALayer):
    def call(self, x):
        return ops.relu(self.norm(x)) + x


class HasALayerWithin(EndsInALayer):
    def call(self, x):
        return ops.tanh(self.norm(ops.relu(x) + x)) * 2.0


class HasTwoResults(EndsInALayer):
    def call(self, x):
        parts = ops.split(self.norm(ops.relu(x) + x), [2], axis=1)
        return ops.concatenate([parts[1], parts[0] * 2.0], axis=1)


class EndsInSeveral(EndsInALayer):
    def call(self, x):
        return ops.split(ops.concatenate([ops.relu(x) + x, x], axis=1), 2, axis=1)[0]


@pytest.mark.parametrize(
    "kind",
    [EndsInALayer, BeginsWithALayer, HasALayerWithin, HasTwoResults, EndsInSeveral],
    ids=lambda kind: kind.__name__,
)
def test_gradients_go_the_same_way_through_layers_within(kind):
    distnet.utils.set_random_seed(3)
    layer, dense = kind(), layers.Dense(WIDTH)
    model = distnet.Sequential([distnet.Input((WIDTH,)), dense, layer])
    optimizer = distnet.optimizers.SGD(0.5)
    model.compile(distnet.optimizers.SGD(0.5), "mse")
    x = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype("float32")
    other = distnet.models.clone_model(model)
    other.set_weights(model.get_weights())
    for _ in range(4):
        model.train_on_batch(x, x)
        with distnet.GradientTape() as tape:
            loss = ops.mean(ops.square(other(x, training=True) - x))
        gradients = tape.gradient(loss, other.trainable_variables)
        optimizer.apply_gradients(
            [(g, v) for g, v in zip(gradients, other.trainable_variables, strict=True) if g is not None]
        )
        for w, e in zip(model.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(w, e, rtol=1e-5, atol=1e-6)
