"""One rank does what the others do not: parting_ranks.py CASE."""

import os
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np

import distnet as keras
from distnet import distribution, layers, ops
from distnet.callbacks import LambdaCallback

RANK = distribution.rank()
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(100, 4)), RNG.normal(size=(100, 1))


@dataclass(eq=False)
class Trap(layers.Layer):
    """On rank 1, in the fifth training step, ends in its way."""

    end = staticmethod(lambda: None)
    steps = 0

    def forward(self, x, ctx):
        self.steps += ctx.training
        if self.steps == 5 and RANK == 1:
            self.end()
        return x, None

    def backward(self, dy, saved, ctx):
        return dy


def built(end=lambda: None, units=8, seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([layers.Dense(units, input_shape=(4,)), Trap(), layers.Dense(1)])
    model.compile("adam", "mse")
    model.get_layer(index=1).end = end
    return model


def fit(end=lambda: None, x=X, y=Y, model=None, **options):
    model = model or built(end)
    model.fit(x, y, **{"batch_size": 10, "verbose": 0} | options)
    return model


def wired(operation):
    """An operation, which is none of ``model.layers``, between layers that are the same on all ranks."""
    x = keras.Input((4,))
    a = layers.Dense(4)(x)
    model = keras.Model(x, layers.Dense(1)(operation(a, layers.Dense(4)(a))))
    model.compile("adam", "mse")
    return model


def boom(*_):
    raise RuntimeError("boom")


def lost():
    raise LookupError("lost")


def caught_alone():
    """The error of one rank in the middle of training is swallowed there; its program ends well."""
    try:
        fit(lost)
    except LookupError:
        if RANK != 1:
            raise


def caught_outside():
    """One rank meets an error between two calls that the others make, and swallows it."""
    for trial in range(2):
        try:
            fit()
            if RANK == 1 and trial == 0:
                lost()
            built().evaluate(X, Y, verbose=0)
            fit()
        except LookupError:
            continue


def asks_alone():
    """A loss is asked for on one rank, which is well; then a prediction, of which each rank has some rows."""
    model = built()
    with keras.GradientTape() as tape:
        y = model(X, training=True)
        loss = ops.mean(ops.square(y))
    on_chief(lambda: (float(loss), loss.numpy(), f"{loss}", y.numpy()))
    tape.gradient(loss, model.trainable_variables)


def on_chief(call):
    if distribution.is_chief():
        call()


def left_while_others_are_late():
    """Rank 1 is done with the broadcast before rank 2 comes to it, and leaves."""
    from distnet import comm

    if RANK == 2:
        time.sleep(1.5)
    comm.world().broadcast(np.zeros(1), root=1)
    if RANK != 1:
        distribution.barrier()


def changed_in_place():
    """Weights that rank 0 changes behind the model's back."""

    def change(epoch, logs):
        model.layers[0].kernel.value[0, 0] += 1

    model = built()
    fit(model=model, callbacks=[LambdaCallback(on_epoch_end=change)])


CASES = {
    "raises": lambda: fit(boom),
    "exits": lambda: fit(lambda: sys.exit(3)),
    "exits well": lambda: fit(lambda: sys.exit(0)),
    "vanishes": lambda: fit(lambda: os._exit(5)),
    "is killed": lambda: fit(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "is interrupted": lambda: fit(lambda: signal.raise_signal(signal.SIGINT)),
    "raises in a callback": lambda: fit(callbacks=[LambdaCallback(on_batch_end=boom)]),
    "is caught alone": caught_alone,
    "is caught alone, outside of distnet": caught_outside,
    "asks alone for a tensor": asks_alone,
    "fits alone": lambda: on_chief(fit),
    "evaluates alone": lambda: on_chief(lambda: fit().evaluate(X, Y, verbose=0)) if RANK == 0 else fit(),
    "saves before others fit": lambda: (model := built(), on_chief(lambda: model.save("alone.h5")), fit(model=model)),
    "evaluates before others predict": lambda: (
        (model := built()),
        on_chief(lambda: model.evaluate(X, Y, verbose=0)),
        model.predict(X, verbose=0),
    ),
    "predicts before others train": lambda: (
        (model := built()),
        on_chief(lambda: model.predict(X, verbose=0)),
        model.train_on_batch(X, Y),
    ),
    "leaves early": left_while_others_are_late,
    "other data": lambda: fit(x=X + RANK),
    "its part of the data": lambda: fit(x=X[RANK::3], y=Y[RANK::3]),
    "other labels": lambda: fit(y=Y * (1 + RANK)),
    "other validation": lambda: fit(validation_data=(X, Y + RANK)),
    "other seed": lambda: fit(model=built(seed=RANK)),
    "other layers": lambda: fit(model=built(units=8 + RANK)),
    "another operation": lambda: fit(model=wired(lambda a, b: a - b if RANK else a * b)),
    "another constant": lambda: fit(model=wired(lambda a, b: a * np.full(4, 2.0 + RANK) + b)),
    "another wiring": lambda: fit(model=wired(lambda a, b: layers.Subtract()([a, b] if RANK else [b, a]))),
    "other optimizer": lambda: (
        (model := built()),
        model.compile(keras.optimizers.Adam(0.1 + RANK), "mse"),
        fit(model=model),
    ),
    "other loss": lambda: ((model := built()), model.compile("adam", ["mse", "mae"][RANK % 2]), fit(model=model)),
    "other batch size": lambda: fit(batch_size=10 + RANK),
    "other epochs": lambda: fit(epochs=1 + RANK),
    "other data to predict": lambda: built().predict(X[RANK::3], verbose=0),
    "other data to evaluate": lambda: built().evaluate(X + RANK, Y, verbose=0),
    "other layers to train on a batch": lambda: built(units=8 + RANK).train_on_batch(X, Y),
    "changes weights in place": changed_in_place,
}

if __name__ == "__main__":
    CASES[sys.argv[1]]()
