"""Train while ranks die as told, and save what came of it.

    mpirun --with-ft ulfm -n 4 python elastic_training.py FOLDER '{"deaths": [[2, "forward", 5, "SIGKILL"]]}'

Each death is of the process that began as this rank, at the place, at the n-th time that it comes there, how: by a
signal, by ``os._exit``, or, given a number, so many lengths of a step later, wherever the process then is. A rank that
is "late" at a place does not die there, but waits for a second.
"""

import json
import operator
import os
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

import numpy as np

import distnet as keras
from distnet import comm
from distnet.distribution import DataParallel, set_distribution
from distnet.optimizers import Optimizer
from distnet.parallel import exchange
from distnet.training import hooks, loop, own_steps, step

ROWS, FEATURES, CLASSES, BATCH_SIZE = 72, 6, 3, 12
LATE_S = 1.0


class Deaths:
    """When this process dies, and how."""

    def __init__(self, folder, deaths):
        rank = comm.world().rank
        self.note = folder / f"died-{rank}"
        self.waiting = {(place, at): how for number, place, at, how in deaths if number == rank}
        self.passed = {}
        self.own = threading.Lock()  # cannot be pickled: what a callback keeps would else be rank 0's on every rank

    def pass_by(self, place):
        """Come to a place; die if it is time."""
        passed = self.passed.setdefault(place, [])
        passed.append(time.monotonic())
        if place == "settle":  # once all have come there they are outside of fit
            self.stop_the_clock()
        how = self.waiting.get((place, len(passed)))
        if how == "late":
            time.sleep(LATE_S)
        elif isinstance(how, float):
            self.die_after(how * statistics.median(map(operator.sub, passed[1:], passed[:-1])))
        elif how is not None:
            self.note.write_text(f"{time.time()} {place}")
            if how.startswith("SIG"):
                os.kill(os.getpid(), getattr(signal, how))
            os._exit(int(how))

    def die_after(self, seconds):
        """Die by the system's clock, wherever this process then is."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self.note.write_text(f"{time.time() + seconds} by the clock")
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop_the_clock(self):
        """Live on."""
        left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        if left_s:
            self.note.unlink()

    def at(self, owner, name, place, is_after=False):
        """Pass by the place whenever the method is called."""
        method = getattr(owner, name)

        def passing(*args, **kwargs):
            if not is_after:
                self.pass_by(place)
            returned = method(*args, **kwargs)
            if is_after:
                self.pass_by(place)
            return returned

        setattr(owner, name, passing)


class Notes(keras.callbacks.Callback):
    """Notes when each step was done, and which hooks were called."""

    def __init__(self, folder, deaths):
        self.folder, self.deaths, self.hooks = folder, deaths, []

    def get_state(self):
        return {"hooks": list(self.hooks)}

    def set_state(self, state):
        self.hooks = list(state["hooks"])

    def on_epoch_begin(self, epoch, logs=None):
        self.deaths.pass_by("on_epoch_begin")
        self.hooks.append(f"begin {epoch}")

    def on_train_batch_end(self, batch, logs=None):
        with self.folder.joinpath("steps").open("a") as file:
            file.write(f"{time.time()} {keras.distribution.size()}\n")
        self.deaths.pass_by("on_train_batch_end")

    def on_epoch_end(self, epoch, logs=None):
        self.deaths.pass_by("on_epoch_end")
        self.hooks.append(f"end {epoch}")

    def on_train_end(self, logs=None):
        self.deaths.pass_by("on_train_end")
        self.folder.joinpath("hooks.json").write_text(json.dumps(self.hooks))


class Batches(keras.utils.PyDataset):
    """Batches that have numbers."""

    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return -(-ROWS // BATCH_SIZE)

    def __getitem__(self, i):
        part = slice(i * BATCH_SIZE, (i + 1) * BATCH_SIZE)
        return self.x[part], self.y[part]


class OwnTraining(keras.Model):
    """Takes its steps itself."""

    def train_step(self, data):
        x, y = data
        with keras.ops.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        return {"loss": loss}


def network(plan):
    """With whatever is hard to take back: dropout, moving statistics, slots."""
    x = y = keras.Input((FEATURES,))
    for units in plan.get("hidden", [16]):
        y = keras.layers.Dense(units, activation="tanh", kernel_regularizer="l2")(y)
    y = keras.layers.BatchNormalization()(y)
    y = keras.layers.Dropout(0.3)(y)
    y = keras.layers.Dense(CLASSES, activation="softmax")(y)
    model = (OwnTraining if plan.get("is_own") else keras.Model)(x, y)
    optimizers = {
        "adam": keras.optimizers.Adam(0.01),
        "sgd": keras.optimizers.SGD(0.05, momentum=0.9),
        "adamw": keras.optimizers.AdamW(0.01, clipnorm=1.0, use_ema=True),
    }
    model.compile(optimizers[plan.get("optimizer", "adam")], "categorical_crossentropy", metrics=["accuracy", "AUC"])
    return model


def data_of(plan, epochs=1):
    """What fit is given to train on."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(ROWS, FEATURES)), np.eye(CLASSES)[rng.integers(0, CLASSES, ROWS)]
    match plan.get("data", "arrays"):
        case "sequence":
            return (Batches(x, y),), {}
        case "generator":
            batches = Batches(x, y)
            made = (batches[i % len(batches)] for i in range(epochs * len(batches)))
            return (made,), {"steps_per_epoch": len(batches)}
    return (x, y), {"batch_size": BATCH_SIZE, "validation_split": 0.25}


def main(folder, plan):
    """Train, and save."""
    deaths = Deaths(folder, [*plan.get("deaths", ()), *([*late, "late"] for late in plan.get("late", ()))])
    deaths.pass_by("start")
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(5)
    set_distribution(DataParallel(elastic=True, **plan.get("distribution", {})))
    model = network(plan)
    deaths.at(step.TrainingSteps, "_write_message", "forward")
    deaths.at(step.TrainingSteps, "_write_message", "exchange", is_after=True)
    deaths.at(Optimizer, "apply", "update")
    deaths.at(Optimizer, "apply", "updated", is_after=True)
    deaths.at(own_steps.OwnSteps, "_data", "own step")
    deaths.at(own_steps.OwnSteps, "train", "own step done", is_after=True)
    deaths.at(loop, "validate", "validation")
    deaths.at(hooks.Hooks, "share_kept", "end")
    deaths.at(type(comm.world()), "settle", "settle")
    deaths.at(exchange.WholeExchange, "sum_and_update", "summed", is_after=True)
    epochs = plan.get("epochs", 3)
    positional, named = data_of(plan, epochs)
    callbacks = [Notes(folder, deaths), keras.callbacks.EarlyStopping("loss", patience=9)]
    callbacks += [keras.callbacks.ModelCheckpoint(folder / "model.h5"), keras.callbacks.CSVLogger(folder / "log.csv")]
    callbacks += [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9)]
    history = model.fit(*positional, epochs=epochs, verbose=0, callbacks=callbacks, **named)
    evaluated = model.evaluate(*data_of({})[0], batch_size=BATCH_SIZE, verbose=0)
    if keras.distribution.is_chief():
        told = {"history": history.history, "evaluated": evaluated, "ranks": keras.distribution.size()}
        folder.joinpath("told.json").write_text(json.dumps(told))
        slots = model.optimizer.slots
        np.savez(folder / "weights.npz", *model.get_weights(), **{f"slot_{name}": slots[name] for name in slots})


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
