"""Configurations of older Kerases in the words of the present one.

What has changed its meaning is rewritten; what only changed its form, readers take as it is. A
configuration that distnet wrote has the form of Keras 2 and, but for those that are for Keras 2 alone, the meaning of
Keras 3: its version says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from distnet.errors import UnknownNameError
from distnet.metrics import METRICS
from distnet.registry import said_beside
from distnet.saving import criterion_dialects, keras_1, optimizer_dialects
from distnet.saving.versions import is_standalone, numbers
from distnet.types import Json

KERAS_VERSION = "2.12.0+distnet"
"""The Keras whose dialect is written; the one that Keras 2 and Keras 3 both read."""

KERAS_2_VERSION = f"{KERAS_VERSION}.keras2"
"""The same where also what is meant is what Keras 2 means."""

HARD_SIGMOID = {"class_name": "HardSigmoid", "config": {"slope": 0.2}}
"""Keras 2's; Keras 3's has the slope 1/6."""
ACTIVATIONS = ("activation", "recurrent_activation")
"""The keys of activations in configurations."""

_COMPUTE_OTHERWISE = frozenset(
    (
        "Add", "Average", "BatchNormalization", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract",
        "TimeDistributed",
    )
)  # fmt: skip
"""Layers that can be told to compute ``as_in_keras_2``."""


_OPTIMIZERS = ("optimizer_config", "optimizer")
"""The keys of optimizers in ``training_config`` and in ``compile_config``."""

_BY_SHAPE = {
    **dict.fromkeys(("accuracy", "acc"), "SparseCategoricalAccuracy"),
    **dict.fromkeys(("crossentropy", "ce"), "SparseCategoricalCrossentropy"),
}
"""What words that mean a metric by the shapes mean for class numbers."""


def in_present_words(config: Any, keras_version: object) -> Any:
    """The configuration of a model or of its training, as it would be written today.

    Args:
        config: of Keras's making, or distnet's.
        keras_version: what stands beside it; None for JSON of Keras 3.
    """
    config = _without_wrappers(config)
    if not is_keras_2(keras_version):
        return config
    version = _text(keras_version)
    if is_keras_1(version):
        config = keras_1.in_words_of_keras_2(config, numbers(version))
    translated = _from_keras_2(config)
    return translated if "distnet" in version else _as_in_keras_2(translated, version)


def is_keras_2(keras_version: object) -> bool:
    """Whether Keras 1 or 2 itself wrote this version, or distnet for it, not in its form alone."""
    text = _text(keras_version)
    return re.match(r"[012]\.", text) is not None and ("distnet" not in text or text == KERAS_2_VERSION)


def is_keras_1(keras_version: object) -> bool:
    """Whether Keras 1, or one before it, wrote this version."""
    return re.match(r"[01]\.", _text(keras_version)) is not None


def _text(keras_version: object) -> str:
    return keras_version.decode() if isinstance(keras_version, bytes) else str(keras_version or "")


def _without_wrappers(value: Any) -> Any:
    """Lists in the place of the tuples and shapes that TensorFlow's Keras wraps; a Sequential that is no bare list."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "Sequential" and isinstance(value.get("config"), list):
            return {**value, "config": {"layers": _without_wrappers(value["config"])}}
        if value.get("class_name") in ("__tuple__", "TensorShape") and isinstance(value.get("items"), list):
            return _without_wrappers(value["items"])
        return {key: _without_wrappers(item) for key, item in value.items()}
    return [_without_wrappers(item) for item in value] if isinstance(value, list) else value


def _from_keras_2(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_keras_2(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    translated = {key: _from_keras_2(item) for key, item in value.items()}
    for key in ACTIVATIONS:
        if translated.get(key) == "hard_sigmoid":
            translated[key] = dict(HARD_SIGMOID)
    name, config = str(translated.get("class_name")), translated.get("config")
    if isinstance(config, dict):
        if name == "GRU":
            config.setdefault("reset_after", False)
        if name == "MeanMetricWrapper":
            translated["class_name"] = name = _metric_of(config.get("fn")) or name
        if "fn" in config and not name.endswith("Wrapper"):
            del config["fn"]  # of a loss: the class says it already
    return translated


def _metric_of(function: object) -> str | None:
    """The metric whose values a function gives; None for a user's own.

    In this form, the function within a wrapper, a metric is read by Keras 2 alone.
    """
    try:
        found = METRICS.find(str(function))
    except UnknownNameError:
        return None
    return found.__name__ if isinstance(found, type) and found in METRICS.members.values() else None


def _as_in_keras_2(value: Any, version: str) -> Any:
    """The configuration with that beside it which lets layers, metrics and optimizers compute as they did there."""
    if isinstance(value, list):
        return [_as_in_keras_2(item, version) for item in value]
    if not isinstance(value, Mapping):
        return value
    translated = {key: _as_in_keras_2(item, version) for key, item in value.items()}
    for key in _OPTIMIZERS:
        if isinstance(translated.get(key), Mapping):
            translated[key] = optimizer_dialects.in_present_words(translated[key], version)
    if "optimizer_config" in translated:
        translated = criterion_dialects.in_present_words(translated, version)
    if isinstance(translated.get("compile_config"), Mapping):
        translated["compile_config"] = said_beside(translated["compile_config"], as_in_keras_2=True)
    if translated.get("class_name") == "UpSampling2D" and (is_standalone(version) or numbers(version) < (2, 2)):
        translated = said_beside(translated, from_corners=True)
    if is_standalone(version) and _penalizes_activity(translated):
        translated = said_beside(translated, sums_activity=True)
    is_other = (
        translated.get("class_name") in _COMPUTE_OTHERWISE
        or "optimizer_config" in translated
        or _names_modes(translated.get("config"))
    )
    translated = said_beside(translated, as_in_keras_2=True) if is_other else translated
    if is_standalone(version) and translated.get("class_name") == "BatchNormalization":
        is_sample = numbers(version) >= (2, 1, 4)
        translated = said_beside(translated, as_in_keras_2=is_sample, sample_variance=is_sample)
    return translated


def _names_modes(config: Any) -> bool:
    """Whether it is the configuration of a graph in which a call says ``training``."""
    if not (isinstance(config, Mapping) and "input_layers" in config and isinstance(config.get("layers"), list)):
        return False
    nodes = [node for layer in config["layers"] for node in layer.get("inbound_nodes") or ()]
    arguments = [item[3] for node in nodes if isinstance(node, list) for item in node if _has_arguments(item)]
    return any(isinstance(named, Mapping) and named.get("training") is not None for named in arguments)


def _has_arguments(reference: Any) -> bool:
    return isinstance(reference, list) and len(reference) == 4


def _penalizes_activity(spec: Mapping[str, Any]) -> bool:
    config = spec.get("config")
    regularizer = config.get("activity_regularizer") if isinstance(config, Mapping) else None
    return regularizer is not None or spec.get("class_name") == "ActivityRegularization"


def by_output(settings: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """Settings of ``compile`` whose loss has the structure of the loss weights, which Keras 3 wants.

    Args:
        settings: with ``loss`` and ``loss_weights`` as the user gave them.
        names: of the outputs.
    """
    given = [settings["loss"], settings["loss_weights"]]
    if given[1] is None or len(names) == 1 or (kinds := {_kind(item) for item in given}) <= {object} or kinds == {list}:
        return dict(settings)
    if any(isinstance(item, dict) and not set(item) <= set(names) for item in given if _kind(item) is dict):
        return dict(settings)  # deeper than one dict: as the user gave it
    losses, weights = ([_of_output(item, i, name) for i, name in enumerate(names)] for item in given)
    weights = [1.0 if weight is None else weight for weight in weights]
    if dict not in kinds:
        return {**settings, "loss": losses, "loss_weights": weights}
    known = [i for i, loss in enumerate(losses) if loss is not None]
    by_name = [{names[i]: found[i] for i in known} for found in (losses, weights)]
    return {**settings, "loss": by_name[0], "loss_weights": by_name[1]}


def of_sparse_targets(settings: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """Settings of ``compile`` in which ``"accuracy"`` of an output with a sparse loss is the sparse one, by its class.

    TensorFlow's Keras chooses by the shapes of the outputs alone when it reads a file: for class numbers wrongly.

    Args:
        settings: with ``loss`` and the metrics in the structure of the outputs.
        names: of the outputs.
    """
    losses = [_of_output(settings["loss"], i, name) for i, name in enumerate(names)]
    sparse = [_is_sparse(loss) for loss in losses]
    found = dict(settings)
    for key in ("metrics", "weighted_metrics"):
        given = settings[key]
        if len(names) == 1:
            found[key] = _sparse(given) if sparse[0] else given
        elif isinstance(given, list):
            found[key] = [_sparse(item) if i < len(sparse) and sparse[i] else item for i, item in enumerate(given)]
        elif isinstance(given, dict):
            known = {name for name, is_sparse in zip(names, sparse, strict=True) if is_sparse}
            found[key] = {name: _sparse(item) if name in known else item for name, item in given.items()}
    return found


def _is_sparse(loss: Json) -> bool:
    name = loss.get("class_name") if isinstance(loss, dict) else loss
    return str(name).replace("_", "").lower().startswith("sparsecategorical")


def _sparse(metrics: Json) -> Json:
    if isinstance(metrics, list):
        return [_sparse(item) for item in metrics]
    if isinstance(metrics, dict) and "class_name" not in metrics:
        return {name: _sparse(item) for name, item in metrics.items()}
    if isinstance(metrics, str) and metrics.lower() in _BY_SHAPE:
        return {"class_name": _BY_SHAPE[metrics.lower()], "config": {"name": metrics, "dtype": "float32"}}
    return metrics


def _kind(setting: Json) -> type:
    """list or dict of a setting for each output; object of one for all."""
    if isinstance(setting, list):
        return list
    return dict if isinstance(setting, dict) and "class_name" not in setting else object


def _of_output(setting: Json, number: int, name: str) -> Json:
    kind = _kind(setting)
    if kind is list:
        values = cast("list[Json]", setting)
        return values[number] if number < len(values) else None
    return cast("dict[str, Json]", setting).get(name) if kind is dict else setting
