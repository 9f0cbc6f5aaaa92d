"""Configurations of optimizers from older versions of Keras, translated to the present one.

Their classes have the present names, but some compute differently:

- RMSprop without momentum, and Adagrad, add epsilon to the root up to Keras 2.10, and in ``optimizers.legacy``.
- ``clipnorm`` bounds the norm of all gradients together in Keras up to 2.3, that of each one in TensorFlow's.
- Of ``clipnorm`` and ``clipvalue`` all but the newest classes obey both: these the norm alone.
- Adagrad starts its sum at 0 where the configuration does not say.

Source: ``keras.optimizers`` of Keras 1.2, 2.2 and 2.3; ``optimizers.legacy`` and ``optimizer_v1`` of tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from distnet.dialects.versions import is_standalone, numbers
from distnet.registry import said_beside

_EPSILON_OUTSIDE = ("RMSprop", "Adagrad")
"""The classes whose epsilon was outside the root."""

_CLIPS = ("clipnorm", "global_clipnorm", "clipvalue")
"""Options that clip gradients, in the order in which the newest classes look at them."""

_OPTIONS_OF_NEW_CLASSES = {"jit_compile", "use_ema", "weight_decay"}
"""Which ``optimizers.experimental`` of Keras 2.9 and 2.10 has, and the classes that came after it."""


def in_present_words(spec: Mapping[str, Any], keras_version: str) -> Mapping[str, Any]:
    """An optimizer's ``{"class_name", "config"}`` by Keras 1 or 2, as it would be written today."""
    config = spec.get("config")
    if not isinstance(config, Mapping):
        return spec
    if _is_of_a_new_class(config):
        return {**spec, "config": _with_one_clip(config)}
    config, name = dict(config), str(spec.get("class_name"))
    if is_standalone(keras_version) and config.get("clipnorm"):
        config["global_clipnorm"] = config.pop("clipnorm")
    if name == "Adagrad":
        config.setdefault("initial_accumulator_value", 0.0)
    meant = {**spec, "config": config}
    if sum(bool(config.get(clip)) for clip in _CLIPS) > 1:
        meant = said_beside(meant, clips_first="value" if numbers(keras_version) >= (2, 4) else "norm")
    is_outside = name in _EPSILON_OUTSIDE and not config.get("momentum")
    return said_beside(meant, epsilon_outside=True) if is_outside else meant


def _is_of_a_new_class(config: Mapping[str, Any]) -> bool:
    """Whether one of the classes that TensorFlow's Keras has by default since 2.11."""
    return config.get("is_legacy_optimizer") is False or bool(config.keys() & _OPTIONS_OF_NEW_CLASSES)


def _with_one_clip(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with the one clip that the newest classes obey."""
    given = [clip for clip in _CLIPS if config.get(clip)]
    return {key: None if key in given[1:] else value for key, value in config.items()}
