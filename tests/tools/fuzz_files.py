"""The files that ``fuzz.py`` damages, and the ways in which it reads them."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import distnet as keras
from archive_mutations import archive_mutation
from distnet import callbacks, errors, layers
from distnet.__main__ import main as command
from mutations import damaged_json, mutation

X = np.linspace(-1, 1, 24).reshape(8, 3)
Y = np.stack([X.sum(1), X.prod(1)], axis=1)
Read = Callable[[Path], object]


def many_layers() -> Any:
    """A compiled model with something of everything in it."""
    stack = [
        layers.Input(shape=(6, 6, 1)),
        layers.Conv2D(2, 3, activation="relu", kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Reshape((4, 8)),
        layers.LSTM(3, return_sequences=True),
        layers.Flatten(),
        layers.Dropout(0.1),
        layers.Dense(2, activation="softmax", kernel_constraint="max_norm"),
    ]
    model = keras.Sequential(stack)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    metrics = ["accuracy", keras.metrics.AUC(num_thresholds=11), keras.metrics.MeanIoU(2)]
    model.compile(keras.optimizers.Adam(schedule, amsgrad=True), "categorical_crossentropy", metrics)
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 1))
    model.fit(x, np.eye(2)[np.arange(8) % 2], epochs=2, verbose=0)
    return model


def graph() -> Any:
    """A graph with two inputs, a layer and a model that are called twice, and two outputs."""
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(4, "tanh", name="shared")
    inner = keras.Sequential([layers.Input((4,)), layers.Dense(4), layers.Dropout(0.2)], name="inner")
    joined = layers.Concatenate()([inner(shared(a)), inner(shared(b))])
    model = keras.Model([a, b], [layers.Dense(2, name="p")(joined), layers.Dense(1, name="q")(joined)])
    model.compile("sgd", {"p": "mse", "q": "mae"})
    model.fit([X, X], [Y, Y[:, :1]], verbose=0)
    return model


def small() -> Any:
    """A compiled model that trains in no time."""
    stack = [layers.Input((3,)), layers.Dense(4, name="a"), layers.BatchNormalization(name="b"), layers.Dropout(0.2)]
    model = keras.Sequential([*stack, layers.Dense(2, name="c")], name="small")
    model.compile(keras.optimizers.Nadam(0.01), "mse", metrics=["mae"])
    return model


def watchers(folder: Path) -> list[Any]:
    """Callbacks with a state."""
    name = str(folder / "best.{epoch}.h5")
    return [
        callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss", patience=1),
        callbacks.ModelCheckpoint(name, "loss", save_best_only=True, save_weights_only=True, keep=1),
        callbacks.CSVLogger(folder / "log.csv"),
    ]


def interrupted(path: Path) -> None:
    """Write the file of a training that stopped within its second epoch."""
    folder = path.parent / "interrupted"
    folder.mkdir()
    model, saver = small(), callbacks.ModelCheckpoint(path, save_freq=3)
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[*watchers(folder), saver])


def load_weights(path: Path, **options: Any) -> None:
    """Fill a model that is there."""
    model = many_layers_once()
    model.load_weights(path, **options)


def many_layers_once() -> Any:
    """The same model each time: what it holds does not matter."""
    if "model" not in _kept:
        _kept["model"] = many_layers()
    return _kept["model"]


_kept: dict[str, Any] = {}


def resume(path: Path) -> None:
    """Go on from the file."""
    folder = path.parent
    model = small()
    with contextlib.suppress(errors.DivergenceError):
        model.fit(X, Y, batch_size=4, epochs=2, verbose=0, resume=path, callbacks=watchers(folder))


def back_up(path: Path) -> None:
    """Go on from the file, which lies where backups do, or from none."""
    folder = path.parent / "backup"
    folder.mkdir(exist_ok=True)
    latest = folder / "latest.h5"
    keras.distribution.barrier()
    if keras.distribution.rank() == 0:
        latest.write_bytes(path.read_bytes())
    keras.distribution.barrier()
    try:
        resume_with_backup(folder)
    except errors.CheckpointError as error:
        if str(latest) not in str(error):
            raise
        raise errors.CheckpointError(f"{path}: {error}") from error
    finally:
        keras.distribution.barrier()


def resume_with_backup(folder: Path) -> None:
    """Go on from what the folder holds."""
    backup = callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    with contextlib.suppress(errors.DivergenceError):
        small().fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[*watchers(folder.parent), backup])


def inspect(path: Path) -> None:
    """``distnet inspect``."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command(["inspect", str(path), *["--json"] * (os.path.getsize(path) % 2)])
    if code:
        raise errors.CheckpointError(err.getvalue())


def from_json(path: Path) -> None:
    """A text, read by the user's program."""
    try:
        keras.models.model_from_json(path.read_text(errors="surrogateescape"))
    except (errors.ArgumentError, errors.ShapeError) as error:
        raise errors.CheckpointError(f"{path}: {error}") from error


def json_mutation(content: bytes, seed: int) -> bytes:
    """A text with other values."""
    return damaged_json(content, np.random.default_rng(seed)).encode(errors="surrogatepass")


load: Read = keras.models.load_model
WHOLE: tuple[Read, ...] = (load, load, inspect, load_weights)
WEIGHTS: tuple[Read, ...] = (
    load_weights,
    lambda path: load_weights(path, skip_mismatch=True),
    lambda path: load_weights(path, by_name=True),
    lambda path: load_weights(path, by_name=True, skip_mismatch=True),
    inspect,
)
TRAINING: tuple[Read, ...] = (resume, back_up, load)


def ways_of(path: Path) -> tuple[Callable[[bytes, int], bytes], tuple[Read, ...]]:
    """How a file is damaged, and how it is read then."""
    if path.suffix == ".json":
        return json_mutation, (from_json,)
    damage = archive_mutation if path.read_bytes()[:2] == b"PK" else mutation
    if path.name.startswith("training"):
        return damage, TRAINING
    return damage, WEIGHTS if path.name.startswith("weights") else WHOLE


def write_files(folder: Path) -> list[Path]:
    """A file of each kind that distnet writes."""
    model, graph_model = many_layers(), graph()
    model.save(folder / "whole.h5")
    model.save(folder / "whole.keras")
    model.save(folder / "whole.of_keras_2.h5", keras_optimizer=True)
    model.save_weights(folder / "weights.h5")
    model.save_weights(folder / "weights.weights.h5")
    graph_model.save(folder / "whole.graph.h5")
    graph_model.save(folder / "whole.graph.keras")
    (folder / "graph.json").write_text(graph_model.to_json())
    compiled = json.loads(model.to_json())
    (folder / "many.json").write_text(json.dumps(compiled))
    interrupted(folder / "training.h5")
    interrupted_archive = folder / "training.keras"
    keras.models.load_model(folder / "training.h5").save(interrupted_archive)
    return sorted(path for path in folder.iterdir() if path.is_file())
