"""Configurations of optimizers that older Kerases wrote, in the words of the present one.

Their classes have the names of the present ones, but some compute otherwise:

- RMSprop without momentum, and Adagrad, add epsilon to the root up to Keras 2.10, and in ``optimizers.legacy``.
- ``clipnorm`` bounds the norm of all gradients together in Keras up to 2.3, that of each one in TensorFlow's.
- Adagrad starts its sum at 0 where the configuration does not say.

Source: ``keras.optimizers`` of Keras 1.2, 2.2 and 2.3; ``optimizers.legacy`` and ``optimizer_v1`` of tf_keras 2.21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from distnet.registry import said_beside

_EPSILON_OUTSIDE = ("RMSprop", "Adagrad")
"""The classes whose epsilon was outside the root."""

_OPTIONS_OF_NEW_CLASSES = {"jit_compile", "use_ema", "weight_decay"}
"""Which ``optimizers.experimental`` of Keras 2.9 and 2.10 has, and the classes that came after it."""


def in_present_words(spec: Mapping[str, Any], keras_version: str) -> Mapping[str, Any]:
    """An optimizer's ``{"class_name", "config"}`` by Keras 1 or 2, as it would be written today."""
    config = spec.get("config")
    if not isinstance(config, Mapping) or _is_of_a_new_class(config):
        return spec
    config, name = dict(config), str(spec.get("class_name"))
    if is_standalone(keras_version) and config.get("clipnorm"):
        config["global_clipnorm"] = config.pop("clipnorm")
    if name == "Adagrad":
        config.setdefault("initial_accumulator_value", 0.0)
    meant = {**spec, "config": config}
    is_outside = name in _EPSILON_OUTSIDE and not config.get("momentum")
    return said_beside(meant, epsilon_outside=True) if is_outside else meant


def is_standalone(keras_version: str) -> bool:
    """Whether this is Keras before it was TensorFlow's, whose own say ``-tf`` up to 2.3."""
    return re.match(r"([01]|2\.[0-3])\.", keras_version) is not None and "-tf" not in keras_version


def _is_of_a_new_class(config: Mapping[str, Any]) -> bool:
    """Whether one of the classes that TensorFlow's Keras has by default since 2.11."""
    return config.get("is_legacy_optimizer") is False or bool(config.keys() & _OPTIONS_OF_NEW_CLASSES)
