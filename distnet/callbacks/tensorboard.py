"""Losses, metrics and weights for TensorBoard."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from distnet.arguments import check_frequency
from distnet.callbacks.base import STATE, Callback, Logs
from distnet.callbacks.event_file import EventFile
from distnet.callbacks.watched_model import WatchedModel
from distnet.paths import checked_path
from distnet.types import Array


@dataclass(eq=False)
class TensorBoard(Callback):
    """Writes event files to ``train/`` and ``validation/``; ``tensorboard --logdir logs`` shows them.

    Tags: ``epoch_loss``, ``epoch_learning_rate`` ... by epoch; ``batch_loss`` ... by batch, counted from the start
    of training; ``evaluation_loss_vs_iterations`` ...; ``dense/kernel/histogram``. TensorFlow is not needed.

    Args:
        log_dir: folder for both.
        histogram_freq: epochs between histograms of the weights; 0 for none.
        write_graph: write the graph of the layers.
        write_images: also write weights as images in shades of grey, as often as histograms.
        write_steps_per_second: write batches per second, by epoch and by batch.
        update_freq: how often to write batch tags: ``"epoch"``, ``"batch"`` or a number of batches.
        profile_batch: ignored; see ``Profiler``, and ``fit(profile=...)``.
        embeddings_freq, embeddings_metadata, embeddings_layer_names, embeddings_data: ignored with a warning:
            nothing is written for the projector.
        batch_size, write_grads: Keras 2's; ignored.

    Raises:
        ArgumentError: ``update_freq`` is invalid, or ``log_dir`` is no folder name.
        CheckpointError: the folder cannot be written to.

    Source: ``keras.callbacks.TensorBoard``.
    """

    log_dir: str | os.PathLike[str] = "logs"
    histogram_freq: int = 0
    write_graph: bool = True
    write_images: bool = False
    write_steps_per_second: bool = False
    update_freq: str | int = "epoch"
    profile_batch: Any = 0
    embeddings_freq: int = 0
    embeddings_metadata: Any = None
    embeddings_layer_names: Any = None
    embeddings_data: Any = None
    batch_size: Any = None
    write_grads: bool = False
    batch: int = field(default=0, init=False, repr=False, metadata=STATE)
    """Batches since the start of the whole training."""

    is_passive: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.update_freq = check_frequency("TensorBoard: update_freq", self.update_freq, ["epoch", "batch"])
        if self.embeddings_freq or self.embeddings_metadata or self.embeddings_layer_names:
            warnings.warn(
                "TensorBoard: embeddings are not written for the projector. Save them with numpy.savetxt(path, "
                "layer.get_weights()[0], delimiter='\\t').",
                stacklevel=3,
            )
        checked_path("TensorBoard: log_dir", self.log_dir, "a folder")
        self._files: dict[str, EventFile] = {}
        self._epoch_start_s = self._batch_start_s = 0.0
        self._first_step = 0

    def set_model(self, model: WatchedModel) -> None:
        """Receive the model; write the graph of its layers."""
        super().set_model(model)
        self._files = {}
        if self.write_graph and model.built:
            graph = {"class_name": type(model).__name__, "config": _with_keras_3_calls(model.get_config())}
            self._file("train").text("keras", json.dumps(graph), 0, "graph_keras_model", b"1")
            self._file("train").flush()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start the clocks: training may resume within an epoch."""
        self._start_clocks()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Count the batches since the beginning of the training, even if this run resumes it."""
        steps = self.params.get("steps")
        if steps:
            self.batch = epoch * steps
        self._start_clocks()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the epoch's logs so far, every ``update_freq`` batches."""
        self.batch += 1
        began, self._batch_start_s = self._batch_start_s, time.perf_counter()
        every = 1 if self.update_freq == "batch" else self.update_freq
        if not isinstance(every, int) or self.batch % every:
            return
        if self.write_steps_per_second:
            rate = 1 / max(self._batch_start_s - began, 1e-9)
            self._file("train").scalar("batch_steps_per_second", rate, self.batch)
        self._scalars("train", "batch_{}", logs or {}, self.batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's logs and, if it is time, the weights."""
        logs = logs or {}
        training = {key: value for key, value in logs.items() if not key.startswith("val_")}
        if self.model.optimizer is not None:
            training["learning_rate"] = float(self.model.optimizer.learning_rate)
        if self.write_steps_per_second:
            steps = self.model.training_state.step - self._first_step
            training["steps_per_second"] = steps / max(time.perf_counter() - self._epoch_start_s, 1e-9)
        self._scalars("train", "epoch_{}", training, epoch)
        validation = {key[4:]: value for key, value in logs.items() if key.startswith("val_")}
        self._scalars("validation", "epoch_{}", validation, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the evaluation's results by the number of training steps so far."""
        if self.model.optimizer is not None:
            step = self.model.optimizer.iterations
            self._scalars("validation", "evaluation_{}_vs_iterations", logs or {}, step)

    def _start_clocks(self) -> None:
        self._first_step = self.model.training_state.step
        self._epoch_start_s = self._batch_start_s = time.perf_counter()

    def _file(self, run: str) -> EventFile:
        if run not in self._files:
            self._files[run] = EventFile(os.path.join(self.log_dir, run))
        return self._files[run]

    def _scalars(self, run: str, tag: str, logs: Mapping[str, Any], step: int) -> None:
        """Write numbers; a metric of one number a class gives several."""
        if not logs:
            return
        file = self._file(run)
        for key, value in logs.items():
            for i, number in enumerate(np.ravel(value)):
                file.scalar(tag.format(key) + (f"/{i}" if np.ndim(value) else ""), float(number), step)
        file.flush()

    def _weights(self, epoch: int) -> None:
        file = self._file("train")
        for variable in self.model.variables:
            file.histogram(f"{variable.path}/histogram", variable.value, epoch)
            pixels = _as_image(variable.value) if self.write_images else None
            if pixels is not None:
                file.image(f"{variable.path}/image", pixels, epoch)
        file.flush()


def _as_image(weights: Array) -> Array | None:
    """(H, W) bytes of a vector or matrix, black for the smallest weight; None for other weights."""
    matrix = np.atleast_2d(np.squeeze(weights))
    if matrix.ndim != 2 or not matrix.size or not np.isfinite(matrix).all():
        return None
    matrix = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    low, high = float(matrix.min()), float(matrix.max())
    return np.asarray((matrix - low) * (255 / ((high - low) or 1)), np.uint8)


def _with_keras_3_calls(config: Mapping[str, Any]) -> dict[str, Any]:
    """A model's configuration with its calls as Keras 3 writes them: TensorBoard draws only these."""
    layers = []
    for entry in config["layers"]:
        layer = {**entry, "name": entry.get("name") or entry["config"].get("name")}
        if "layers" in layer["config"]:
            layer["config"] = _with_keras_3_calls(layer["config"])
        if "inbound_nodes" in layer:
            layer["inbound_nodes"] = [
                {"args": [[_keras_tensor(history) for history in _histories(node)]], "kwargs": {}}
                for node in layer["inbound_nodes"]
            ]
        layers.append(layer)
    return {**config, "layers": layers}


def _histories(node: Any) -> Iterator[list[Any]]:
    """``[layer, call, output]`` of every placeholder in a call, in either form of a configuration."""
    if isinstance(node, Mapping):
        if "keras_history" in node:
            yield node["keras_history"]
        else:
            for part in node.values():
                yield from _histories(part)
    elif isinstance(node, list):
        if node and isinstance(node[0], str):
            yield node[:3]
        else:
            for part in node:
                yield from _histories(part)


def _keras_tensor(history: list[Any]) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}
