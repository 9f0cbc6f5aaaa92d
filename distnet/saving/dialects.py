"""Configurations of older Kerases in the words of the present one.

What has changed its meaning is rewritten; what only changed its form, readers take as it is. A
configuration that distnet wrote has the form of Keras 2 and the meaning of Keras 3: its version says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KERAS_VERSION = "2.12.0+distnet"
"""The Keras whose dialect is written; the one that Keras 2 and Keras 3 both read."""

_HARD_SIGMOID = {"class_name": "HardSigmoid", "config": {"slope": 0.2}}
"""Keras 3's has the slope 1/6."""


def in_present_words(config: Any, keras_version: object) -> Any:
    """The configuration of a model or of its training, as it would be written today.

    Args:
        config: of Keras's making, or distnet's.
        keras_version: what stands beside it; None for JSON of Keras 3.
    """
    config = _without_wrappers(config)
    return _from_keras_2(config) if is_keras_2(keras_version) else config


def is_keras_2(keras_version: object) -> bool:
    """Whether Keras 1 or 2 itself wrote this version, not distnet in its form."""
    text = keras_version.decode() if isinstance(keras_version, bytes) else str(keras_version or "")
    return re.match(r"[012]\.", text) is not None and "distnet" not in text


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
    found = {key: _from_keras_2(item) for key, item in value.items()}
    for key in ("activation", "recurrent_activation"):
        if found.get(key) == "hard_sigmoid":
            found[key] = dict(_HARD_SIGMOID)
    name, config = str(found.get("class_name")), found.get("config")
    if isinstance(config, dict):
        if name == "GRU":
            config.setdefault("reset_after", False)
        if name == "MeanMetricWrapper" and config.get("fn") == "cosine_similarity":
            found["class_name"] = name = "CosineSimilarity"  # the function of that name is now the loss, its negative
        if "fn" in config and not name.endswith("Wrapper"):
            del config["fn"]  # of a loss: the class says it already
    return found
