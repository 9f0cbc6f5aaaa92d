"""Models whose ``call`` is planned as its text says: the same numbers as when it runs anew at each step."""

from itertools import pairwise

import numpy as np
import pytest

import distnet as keras
from distnet import layers, ops
from distnet.callbacks import LambdaCallback
from distnet.errors import DistnetError
from distnet.layers.engine.function_text import NotStraight, References

ROWS, WIDTH = 8, 6
FACTOR = 1.5


class Block(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.dense, self.drop, self.norm = layers.Dense(units), layers.Dropout(0.3), layers.LayerNormalization()

    def call(self, x, training=None):
        return self.norm(x + self.drop(self.dense(x), training=training))


class Scaled(layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return ops.tanh(x * self.scale)


class Own(keras.Model):
    """The layers that the models below call as they like."""

    def __init__(self):
        super().__init__()
        self.first = layers.Dense(WIDTH, activation="relu", activity_regularizer="l2")
        self.blocks = [Block(WIDTH), Block(WIDTH)]
        self.norm, self.drop = layers.BatchNormalization(), layers.Dropout(0.2)
        self.inner = keras.Sequential([layers.Dense(WIDTH, activation="tanh"), layers.Dropout(0.4)])
        self.scaled, self.last = Scaled(), layers.Dense(3, activation="softmax")
        self.by_name = {"a": layers.Dense(WIDTH), "b": layers.Dense(WIDTH)}
        self.factor, self.has_skip, self.count = 2.0, True, 0

    def wide(self, x):
        return self.inner(x) * self.factor


class Chain(Own):
    def call(self, inputs):
        """As a user writes it."""
        x = self.first(inputs)
        x = self.drop(x)
        return self.last(self.norm(x))


class Loops(Own):
    def call(self, x, training=False):
        x = self.first(x)
        for number, block in enumerate(self.blocks):
            x = block(x, training=training)
            if number > 0:
                x *= 0.5
        return self.last(x)


class Branches(Own):
    def call(self, x, training=None, mask=None):
        skips = []
        x = self.first(x)
        skips.append(x)
        if training:
            x = self.drop(x)
            x = x + 0.5
        else:
            x = x - 0.25
        x = self.wide(x) if self.has_skip and not self.count else x
        joined = ops.concatenate([x, skips[-1]], axis=-1)
        return self.last(self.scaled(joined[:, 2:]))


class Modes(Own):
    def call(self, x):
        x = self.drop(self.first(x), training=False)
        x = self.norm(x, training=False) + self.drop(x, training=True)
        return self.last(x * FACTOR)


class Heads(Own):
    def call(self, x):
        parts = [dense(x) for dense in (self.by_name["a"], self.by_name["b"])]
        total = parts[0] / len(parts)
        for part in parts[1:]:
            total = total + ops.relu(part)
        self.norm(total)
        return self.last(ops.reshape(total, (-1, x.shape[-1])))


STRAIGHT = [Chain, Loops, Branches, Modes, Heads]


class Counts(Own):
    def call(self, x):
        self.count += 1
        return self.last(self.first(x) * float(self.count))


class Draws(Own):
    def call(self, x):
        return self.last(self.first(x) + keras.random.normal(ops.shape(x)))


class OfWeights(Own):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(WIDTH,), initializer="ones")

    def call(self, x):
        return self.last(self.first(x) * self.scale)


class AddsLoss(Own):
    def call(self, x):
        y = self.first(x)
        self.add_loss(ops.sum(y) * 0.01)
        return self.last(y)


class Keeps(Own):
    def call(self, x):
        y = self.first(x)
        self.kept = y
        return self.last(y + self.late(x))

    def late(self, x):
        return self.kept * 0.5


class Tries(Own):
    def call(self, x):
        try:
            return self.last(self.first(x))
        finally:
            self.count += 1


class KeepsWithin(layers.Layer):
    def call(self, x):
        self.kept = x
        return x * 1.0


class OfLayersThatKeep(Own):
    def __init__(self):
        super().__init__()
        self.keeps = KeepsWithin()

    def call(self, x):
        y = self.keeps(self.first(x))
        return self.last(y + self.keeps.kept)


class ByHelper(Own):
    def call(self, x):
        return helped(self, x)


def helped(model, x):
    model.count += 1
    return model.last(model.first(x) * float(model.count))


class Inherits(Chain):
    def call(self, x):
        return super().call(x) * 1.0


NOT_STRAIGHT = [Counts, Draws, OfWeights, AddsLoss, Keeps, Tries, OfLayersThatKeep, ByHelper, Inherits]


def change_nothing(model, step):
    pass


def set_attributes(model, step):
    model.factor, model.has_skip = 1.0 + step, step % 2 == 0


def change_lists(model, step):
    model.blocks.reverse()
    model.by_name["a"], model.by_name["b"] = model.by_name["b"], model.by_name["a"]


def set_global(model, step):
    global FACTOR
    FACTOR = 1.0 + step


def replace_layer(model, step):
    if step == 2:
        model.first = model.by_name["a"]


def set_methods(model, step):
    if step == 2:
        type(model).wide = lambda self, x: self.inner(x) - 1.0
        own = type(model).call.__get__(model)
        model.call = lambda inputs, training=None, mask=None: own(inputs) * 0.5


def freeze(model, step):
    if step == 2:
        model.first.activity_regularizer = None


CHANGES = [change_nothing, set_attributes, change_lists, set_global, replace_layer, set_methods, freeze]


def trained(kind, change, is_eager):
    """Histories, weights and predictions of a model that is changed before each step, and whether it was planned."""
    global FACTOR
    FACTOR, wide = 1.5, Own.wide
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).random((7 * ROWS - 3, WIDTH))
    y = np.eye(3)[np.arange(len(x)) % 3]
    model = kind()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"], run_eagerly=is_eager)
    model(x[:1])
    for unused in (*model.by_name.values(), model.scaled, *model.blocks, model.inner, model.norm):
        if not unused.built:
            unused(np.zeros((1, WIDTH)))
    changing = LambdaCallback(on_train_batch_begin=lambda batch, logs: change(model, batch))
    try:
        history = model.fit(x, y, ROWS, epochs=1, verbose=0, callbacks=[changing], validation_split=0.3).history
        is_planned = [None not in (model.graph_in_mode(True), model.graph_in_mode(False))]
        return history, model.get_weights(), model.predict(x, verbose=0), is_planned, layers.Add().name
    finally:
        Own.wide = wide
        if "wide" in vars(kind) and kind is not Own:
            del kind.wide


@pytest.fixture(autouse=True)
def _in_float64():
    keras.backend.set_floatx("float64")
    yield
    keras.backend.set_floatx("float32")


@pytest.mark.filterwarnings("ignore:.*no gradient flows")
@pytest.mark.parametrize(
    ("kind", "change"),
    [*((kind, change) for kind in STRAIGHT for change in CHANGES), *((kind, change_nothing) for kind in NOT_STRAIGHT)],
    ids=lambda part: part.__name__,
)
def test_a_planned_model_gives_the_numbers_of_its_call(kind, change):
    history, weights, predicted, is_planned, name = trained(kind, change, False)
    expected, expected_weights, expected_predicted, _, expected_name = trained(kind, change, True)
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, rtol=1e-11, err_msg=key)
    for w, e in zip(weights, expected_weights, strict=True):
        np.testing.assert_allclose(w, e, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(predicted, expected_predicted, rtol=1e-11)
    assert name == expected_name
    if change is change_nothing:
        assert is_planned == [kind in STRAIGHT]


def test_inputs_of_another_dtype_than_the_first_are_not_planned_as_those():
    class Sums(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x * 2)

    model = Sums()
    model(np.ones((2, 3), np.int32))
    np.testing.assert_allclose(model.predict(np.full((4, 3), 0.5), verbose=0), np.full((4, 2), 3.0))


def test_nested_inputs_and_outputs_are_planned_in_their_structure():
    class Pairs(keras.Model):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.both = layers.Dense(4), layers.Dense(4), layers.Multiply()

        def call(self, inputs):
            a, b = self.left(inputs["a"]), self.right(inputs["b"])
            return {"product": self.both([a, b]), "sum": a + b}

    rng = np.random.default_rng(1)
    x = {"a": rng.random((9, 3)), "b": rng.random((9, 2))}
    model = Pairs()
    expected = model(x)
    made = model.predict(x, batch_size=4, verbose=0)
    assert model.graph_in_mode(False) is not None
    for key in ("product", "sum"):
        np.testing.assert_allclose(made[key], expected[key], rtol=1e-12)


def test_a_variable_that_is_gone_is_not_what_it_was():
    value, references = object(), References()

    def reads():
        return value

    assert references.cell(reads, "value") is value
    assert references.hold()
    del reads.__closure__[0].cell_contents
    assert not references.hold()
    with pytest.raises(NotStraight):
        references.cell(reads, "value")


def test_a_text_that_changes_at_each_step_is_not_read_again_and_again():
    model, steps = Modes(), []
    model.compile("adam", "mse")

    def change(batch, logs):
        set_global(model, batch)
        steps.append(model.written._changes)

    x = np.ones((20, WIDTH))
    model.fit(x, x[:, :3], 1, verbose=0, callbacks=[LambdaCallback(on_train_batch_end=change)])
    assert max(steps) == 3
    assert model.graph_in_mode(True) is None


@pytest.mark.filterwarnings("ignore:.*no gradient flows")
@pytest.mark.parametrize("is_eager", [False, True])
def test_a_layer_that_a_callback_takes_out_of_a_model_stays_as_it_is(is_eager):
    """With SGD: no gradient of an earlier step is used again."""

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = layers.Dense(2), layers.Dense(1)

        def call(self, x):
            return self.last(self.first(x))

    model, other, seen = Two(), layers.Dense(2), []
    other.build((None, WIDTH))
    first = model.first
    model.compile("sgd", "mse", run_eagerly=is_eager)

    def change(batch, logs):
        model.first = other if batch == 2 else first
        seen.append(np.array(first.get_weights()[0]))

    x = np.random.default_rng(0).random((5, WIDTH))
    model.fit(x, x[:, :1] + 1, 1, verbose=0, shuffle=False, callbacks=[LambdaCallback(on_train_batch_begin=change)])
    moved = [not np.array_equal(a, b) for a, b in pairwise(seen)]
    assert moved == [True, True, False, True]


def test_a_model_goes_on_after_data_that_it_refused():
    model, x = Chain(), np.random.default_rng(0).random((4, WIDTH))
    model.compile("sgd", "categorical_crossentropy")
    model.fit(x, np.eye(3)[[0, 1, 2, 0]], verbose=0)
    for call in (model.predict, lambda given, verbose: model.fit(given, np.eye(3)[[0, 1, 2, 0]], verbose=verbose)):
        with pytest.raises(DistnetError, match=str(WIDTH)):
            call(x[:, 1:], verbose=0)
        assert np.isfinite(model.fit(x, np.eye(3)[[0, 1, 2, 0]], verbose=0).history["loss"]).all()
        assert model.predict(x, verbose=0).shape == model(x).shape == (4, 3)
