"""Layers whose ``call`` is drawn at random: training, which may repeat calls, against a tape, which runs them all."""

from __future__ import annotations

import importlib.util
import random

import numpy as np
import pytest

import distnet
from distnet import layers, ops

ROWS, WIDTH, SIZE, RATE = 22, 4, 8, 0.1
OF_ONE = (
    *("ops.relu({0})", "ops.tanh({0})", "ops.softmax({0}, axis=-1)", "-{0}", "{0} * self.scale", "{0} @ self.kernel"),
    *(
        "{0} + self.bias",
        "self.activate({0})",
        "self.norm({0})",
        "self.dense({0})",
        "self.inner({0})",
        "self.gelu({0})",
    ),
    *("ops.stop_gradient({0}) * 0.5", "ops.concatenate(ops.split({0}, 4, axis=1)[::-1], axis=1)"),
    *("ops.where({0} > 0, {0}, 0.1 * {0})", "{0} / ops.maximum(ops.norm({0}, axis=-1, keepdims=True), 1e-3)"),
)
OF_TWO = (
    *("{0} + {1}", "{0} * ops.sigmoid({1})", "ops.maximum({0}, {1})", "{0} - 0.5 * {1}", "self.add([{0}, {1}])"),
    "ops.concatenate([{0}[:, :2], {1}[:, 2:]], axis=1)",
)
HEAD = """import distnet
from distnet import layers, ops


class Linear(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], shape[-1]), initializer="glorot_uniform")

    def call(self, x):
        return ops.matmul(x, self.w)
"""
CLASS = """

class Drawn{number}(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.activate, self.scale, self.inner = distnet.activations.elu, 0.7, {inner}()
        self.norm, self.add, self.gelu = layers.LayerNormalization(), layers.Add(), layers.Activation("gelu")
        self.dense = layers.Dense(4, activation="tanh")

    def build(self, shape):
        self.kernel = self.add_weight(shape=(4, 4), initializer="glorot_uniform")
        self.bias = self.add_weight(shape=(4,), initializer="ones")

    def call(self, x):
{body}
"""


def body(draw: random.Random) -> str:
    names, lines = ["x"], []
    for number in range(draw.randint(1, 5)):
        expression = draw.choice(OF_ONE if draw.random() < 0.65 else OF_TWO)
        lines.append(f"v{number} = {expression.format(draw.choice(names), draw.choice(names))}")
        names.append(f"v{number}")
    if draw.random() < 0.15:
        lines.append(f"self.add_loss(0.01 * ops.mean(ops.square({draw.choice(names)})))")
    lines.append(f"return {names[-1]} + {draw.choice(names)}" if draw.random() < 0.4 else f"return {names[-1]}")
    return "\n".join(f"        {line}" for line in lines)


def drawn_module(path, draw: random.Random):
    """A file of two layers, one of which holds the other: steps repeat only calls whose text they can read."""
    parts = [CLASS.format(number=i, inner=f"Drawn{i - 1}" if i else "Linear", body=body(draw)) for i in range(2)]
    path.write_text(HEAD + "".join(parts))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def model_of(module, form: str):
    entry = distnet.Input((WIDTH,))
    hidden, drawn = layers.Dense(WIDTH)(entry), module.Drawn1()
    if form == "one after the other":
        y = module.Drawn0()(drawn(hidden))
    elif form == "called twice":
        y = drawn(ops.tanh(drawn(hidden)))
    else:
        y = layers.Add()([drawn(hidden), module.Drawn0()(hidden)])
    return distnet.Model(entry, layers.Dense(2)(y))


@pytest.mark.parametrize("form", ["one after the other", "called twice", "side by side"])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore:.*no gradient flows")
def test_training_gives_what_a_tape_gives(seed, form, tmp_path):
    distnet.utils.set_random_seed(seed)
    module = drawn_module(tmp_path / f"drawn_{seed}.py", random.Random(f"{seed} {form}"))
    trained, taped = model_of(module, form), model_of(module, form)
    x = np.random.default_rng(seed).normal(size=(ROWS, WIDTH)).astype("float32")
    y = x[:, :2] * 2
    taped.set_weights(trained.get_weights())
    trained.compile(distnet.optimizers.SGD(RATE), "mse")
    for is_frozen in (False, True):
        for model in (trained, taped):
            model.layers[1].trainable = not is_frozen
        trained.fit(x, y, batch_size=SIZE, epochs=2, shuffle=False, verbose=0)
        optimizer = distnet.optimizers.SGD(RATE)
        for first in (*range(0, ROWS, SIZE), *range(0, ROWS, SIZE)):
            rows = slice(first, first + SIZE)
            with distnet.GradientTape() as tape:
                loss = ops.mean(ops.square(taped(x[rows], training=True) - y[rows])) + sum(taped.losses)
            gradients = tape.gradient(loss, taped.trainable_variables)
            pairs = zip(gradients, taped.trainable_variables, strict=True)
            optimizer.apply_gradients([(g, v) for g, v in pairs if g is not None])
    for made, expected in zip(trained.get_weights(), taped.get_weights(), strict=True):
        np.testing.assert_allclose(made, expected, rtol=2e-3, atol=2e-4)
