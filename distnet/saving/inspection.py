"""Reports what a file holds, without building a model or reading its arrays."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from distnet.paths import checked_path
from distnet.saving import contents, formats, keras_archive, keras_h5, keras_weights, state_group
from distnet.saving.late_h5py import h5py
from distnet.saving.seal import is_sealed
from distnet.training_state import TrainingState
from distnet.types import Json

_STATES = {
    "distnet/optimizer": "distnet's",
    "optimizer_weights": "Keras's legacy",
    "optimizer/vars": "Keras 3's",
}


def inspected(filepath: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file holds: kind, writer, seal, layers, compilation, optimizer's state, progress, sizes.

    Raises:
        ArgumentError: ``filepath`` is no name of a file.
        CheckpointError: the file is missing, damaged, or not a model's file.
    """
    path = checked_path("inspect", filepath)
    with formats.saved(path) as saved:
        state = state_group.read_training_state(saved.file)
        layers = list(_layers(saved))
        return {
            "file": path,
            "bytes": os.path.getsize(path),
            "kind": _kind(path, saved),
            "writer": _writer(saved),
            "seal": "whole" if is_sealed(path) else None,
            "model": _model(saved.model_config),
            "parameters": sum(math.prod(weight["shape"]) for layer in layers for weight in layer["weights"]),
            "layers": layers,
            "compiled": _compiled(saved.training_config),
            "optimizer_state": _optimizer_state(saved.file),
            "training": None if state is None else _training(state),
        }


def _kind(path: str, saved: formats.Saved) -> str:
    if keras_archive.is_archive(path):
        return "whole model, .keras archive"
    if saved.model_config is not None:
        return "whole model, HDF5"
    return "weights, Keras 3's layout" if keras_weights.is_keras_weights(saved.file) else "weights, legacy layout"


def _writer(saved: formats.Saved) -> dict[str, Json]:
    """The version of the Keras that wrote it, or as which distnet did; the format of what distnet adds, if any."""
    file = saved.file
    holder = file.get("model_weights", file)
    version = contents.text(file, "keras_version") or contents.text(holder, "keras_version")
    group = file.get(state_group.GROUP)
    return {"keras_version": version, "distnet_format": None if group is None else contents.number(group, "format")}


def _model(config: Mapping[str, Any] | None) -> dict[str, Json] | None:
    if config is None:
        return None
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, Mapping) else None
    return {"class_name": str(config.get("class_name")), "name": None if name is None else str(name)}


def _layers(saved: formats.Saved) -> Iterator[dict[str, Any]]:
    """Name, class and weights of each layer."""
    file, classes = saved.file, _classes(saved.model_config)
    if keras_weights.is_keras_weights(file):
        for path in _vars_groups(file):
            name = contents.text(file[path], "name") or path
            yield {"name": name, "class_name": classes.get(name), "weights": _weights(file[path])}
        return
    holder = keras_h5.weights_group(file)
    for name in contents.names(holder, "layer_names"):
        group = contents.group(holder, name)
        weights = [_weight(group, weight) for weight in contents.names(group, "weight_names")]
        yield {"name": name, "class_name": classes.get(name), "weights": weights}


def _classes(config: Mapping[str, Any] | None) -> dict[str, str]:
    """The class of each layer, by name."""
    inner = (config or {}).get("config")
    entries = inner.get("layers", ()) if isinstance(inner, Mapping) else inner or ()
    named = [e for e in entries if isinstance(e, Mapping) and isinstance(e.get("config"), Mapping)]
    return {str(e["config"].get("name")): str(e.get("class_name")) for e in named}


def _vars_groups(file: h5py.File) -> list[str]:
    """The groups of variables in Keras 3's layout, but for the optimizer's."""
    names: list[str] = []
    file.visit(names.append)
    return [n for n in names if n.endswith("/vars") and n.startswith(("layers/", "preprocessors/")) and len(file[n])]


def _weights(group: h5py.Group) -> list[dict[str, Any]]:
    return [_weight(group, name) for name in sorted(group, key=lambda name: (len(name), name))]


def _weight(group: h5py.Group, name: str) -> dict[str, Any]:
    array = contents.dataset(group, name)
    return {"name": name, "shape": list(array.shape), "dtype": str(array.dtype), "bytes": int(array.nbytes)}


def _compiled(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if config is None:
        return None
    optimizer = config.get("optimizer_config") or config.get("optimizer")
    inner = optimizer.get("config") if isinstance(optimizer, Mapping) else None
    return {
        "optimizer": optimizer.get("class_name") if isinstance(optimizer, Mapping) else optimizer,
        "learning_rate": inner.get("learning_rate", inner.get("lr")) if isinstance(inner, Mapping) else None,
        "loss": _named(config.get("loss")),
        "metrics": _named(config.get("metrics")),
    }


def _named(tree: Any) -> Json:
    """The names in a tree of losses or metrics."""
    if isinstance(tree, Mapping) and "class_name" in tree:
        inner = tree.get("config")
        function = inner.get("fn") if isinstance(inner, Mapping) else inner  # within a wrapper, or by its name
        return str(function if isinstance(function, str) else tree.get("class_name"))
    if isinstance(tree, Mapping):
        return {str(key): _named(value) for key, value in tree.items()}
    return [_named(value) for value in tree] if isinstance(tree, Sequence) and not isinstance(tree, str) else tree


def _optimizer_state(file: h5py.File) -> list[dict[str, Any]]:
    """Each state of an optimizer that the file holds."""
    states = []
    places = {**_STATES, **_of_other_optimizers(file)}
    for path, whose in places.items():
        group = file.get(path)
        if isinstance(group, h5py.Group) and len(group):
            arrays: list[h5py.Dataset] = []
            group.visititems(lambda _, item, arrays=arrays: arrays.append(item) if hasattr(item, "dtype") else None)
            total = sum(int(array.nbytes) for array in arrays)
            states.append({"layout": whose, "group": f"/{path}", "arrays": len(arrays), "bytes": total})
    return states


def _of_other_optimizers(file: h5py.File) -> dict[str, str]:
    """Where distnet keeps the states of optimizers beside ``model.optimizer``, and of which attributes they are."""
    parts = file.get(f"{state_group.GROUP}/attached/optimizers", {})
    return {
        f"{state_group.GROUP}/attached/optimizers/{name}/state": f"distnet's, of {contents.text(parts[name], 'path')}"
        for name in parts
    }


def _training(state: TrainingState) -> dict[str, Any]:
    moment = None if state.progress is None else state.progress.moment
    if moment is not None and not moment.is_within_epoch:
        moment = None
    return {
        "steps": state.step,
        "epochs": len(state.epochs),
        "last_epoch": state.epochs[-1] + 1 if state.epochs else None,
        "history": {key: values[-1] for key, values in state.history.items() if values},
        "within_epoch": None if moment is None else {"epoch": moment.epoch + 1, "batches": moment.batches},
        "seed": state.seed,
    }
