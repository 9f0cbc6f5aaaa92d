"""Configurations of older versions of Keras, translated to the present one.

Entries that changed their meaning are rewritten; those that only changed their form are left to the readers. A
configuration that distnet wrote has the form of Keras 2 and, but for those that are for Keras 2 alone, the meaning of
Keras 3: its version says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from distnet.dialects import forms, keras_1, loss_dialects, optimizer_dialects
from distnet.dialects.versions import is_keras_1, is_keras_2, is_standalone, numbers, text_of
from distnet.errors import UnknownNameError
from distnet.layers import LAYERS
from distnet.metrics import METRICS
from distnet.registry import said_beside

HARD_SIGMOID = {"class_name": "HardSigmoid", "config": {"slope": 0.2}}
"""Keras 2's; Keras 3's has the slope 1/6."""
ACTIVATIONS = ("activation", "recurrent_activation")
"""The keys of activations in configurations."""

_OPTIMIZERS = ("optimizer_config", "optimizer")
"""The keys of optimizers in ``training_config`` and in ``compile_config``."""


def in_present_words(config: Any, keras_version: object) -> Any:
    """The configuration of a model or of its training, as it is written today.

    Args:
        config: of Keras's making, or distnet's.
        keras_version: what stands beside it; None for JSON of Keras 3.

    Raises:
        ArgumentError: it has a form that no Keras gives it.
    """
    config = _without_wrappers(config)
    forms.check(config)
    if not is_keras_2(keras_version):
        return config
    version = text_of(keras_version)
    if is_keras_1(version):
        config = keras_1.in_words_of_keras_2(config, numbers(version))
    translated = _from_keras_2(config)
    return translated if "distnet" in version else _as_in_keras_2(translated, version)


def _without_wrappers(value: Any) -> Any:
    """Lists instead of TensorFlow's wrapped tuples and shapes; a dict instead of a Sequential's bare list."""
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
        metric = METRICS.find(str(function))
    except UnknownNameError:
        return None
    return metric.__name__ if isinstance(metric, type) and metric in METRICS.members.values() else None


def _as_in_keras_2(value: Any, version: str) -> Any:
    """The configuration with settings that let layers, metrics and optimizers compute as they did there."""
    if isinstance(value, list):
        return [_as_in_keras_2(item, version) for item in value]
    if not isinstance(value, Mapping):
        return value
    translated = {key: _as_in_keras_2(item, version) for key, item in value.items()}
    config = translated.get("config")
    if isinstance(config, Mapping) and config.get("trainable") is False:
        translated["config"] = _frozen_throughout(config)
    for key in _OPTIMIZERS:
        if isinstance(translated.get(key), Mapping):
            translated[key] = optimizer_dialects.in_present_words(translated[key], version)
    if "optimizer_config" in translated:
        translated = loss_dialects.in_present_words(translated, version)
    if isinstance(translated.get("compile_config"), Mapping):
        translated["compile_config"] = said_beside(translated["compile_config"], as_in_keras_2=True)
    if translated.get("class_name") == "UpSampling2D" and (is_standalone(version) or numbers(version) < (2, 2)):
        translated = said_beside(translated, from_corners=True)
    if is_standalone(version) and _penalizes_activity(translated):
        translated = said_beside(translated, sums_activity=True)
    is_other = (
        _computes_otherwise(translated.get("class_name"))
        or "optimizer_config" in translated
        or _names_modes(translated.get("config"))
    )
    translated = said_beside(translated, as_in_keras_2=True) if is_other else translated
    if is_standalone(version) and translated.get("class_name") == "BatchNormalization":
        is_sample = numbers(version) >= (2, 1, 4)
        translated = said_beside(translated, as_in_keras_2=is_sample, sample_variance=is_sample)
    return translated


def _frozen_throughout(value: Any) -> Any:
    """The configuration of a frozen layer, the layers within frozen, too: in Keras 2 its flag rules them."""
    if isinstance(value, list):
        return [_frozen_throughout(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    frozen = {key: _frozen_throughout(item) for key, item in value.items()}
    return {**frozen, "trainable": False} if "trainable" in frozen else frozen


def _computes_otherwise(name: object) -> bool:
    """Whether it is a layer that can be told to compute ``as_in_keras_2``: it has a field for that."""
    layer = LAYERS.named(str(name))
    return isinstance(layer, type) and any(field.name == "as_in_keras_2" for field in dataclasses.fields(layer))


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
