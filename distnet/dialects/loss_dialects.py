"""Losses and metrics that older versions of Keras computed differently under the same names.

- ``hinge`` and ``squared_hinge`` take labels 0 and 1 as they are in Keras up to 2.2.
- ``cosine_proximity`` is a mean over the last axis up to 2.0.8; as a metric it is the loss itself up to 2.2.
- ``binary_accuracy`` rounds the scores up to 2.2.
- ``accuracy`` is chosen by the loss, not by the shapes of the targets, in Keras up to 2.3.
- Metrics count padding in Keras 1.
- A loss behind a mask is divided by the number of all values in Keras 2.3 to 2.10, before and after by that of the
  values which count; up to 2.2 values of sample weight 0 do not count.

TensorFlow's own Keras computed as 2.3 from 1.13 on, which says ``2.2.4-tf``, and chose by the shapes from 2.2 on.

Source: ``losses``, ``metrics`` and ``engine.training`` of Keras 1.2, 2.0, 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from distnet.dialects.versions import is_standalone, numbers
from distnet.errors import UnknownNameError
from distnet.losses import LOSSES
from distnet.metrics import METRICS
from distnet.registry import Registry, said_beside
from distnet.types import Json

_Meanings = dict[str, dict[str, Json]]
"""The name of a class -> what is said beside its configuration."""

_OLD_ALIASES = {"cosine": "cosine_proximity"}


def in_present_words(settings: Mapping[str, Any], keras_version: str) -> dict[str, Any]:
    """A ``training_config`` of Keras 1 or 2, with losses and metrics as these versions compute them."""
    losses, metrics = _meanings(keras_version)
    present = dict(settings)
    families: tuple[tuple[str, Registry[Any], _Meanings], ...] = (
        ("loss", LOSSES, losses),
        ("metrics", METRICS, metrics),
        ("weighted_metrics", METRICS, metrics),
    )
    for key, registry, meanings in families:
        if key in settings:
            present[key] = _mapped(partial(_said, registry=registry, meanings=meanings), settings[key])
    version, is_first = numbers(keras_version), _is_of_the_first_formulas(keras_version)
    meaning = {
        "accuracy_by_loss": is_standalone(keras_version) or version < (2, 3),
        "round_scores": is_first,
        "counts_padding": version < (2,),
        "counts_masked": not is_first and version < (2, 11),
        "skips_weights_of_0": is_first,
    }
    return said_beside(present, **{key: True for key, is_meant in meaning.items() if is_meant})


def _meanings(keras_version: str) -> tuple[_Meanings, _Meanings]:
    """Of losses and of metrics."""
    if not _is_of_the_first_formulas(keras_version):
        return {}, {}
    hinges: _Meanings = {name: {"plain_labels": True} for name in ("Hinge", "SquaredHinge")}
    mean: dict[str, Json] = {"mean_over_axis": True} if numbers(keras_version) <= (2, 0, 8) else {}
    of_metrics: _Meanings = {"CosineSimilarity": {"as_loss": True, **mean}, "BinaryAccuracy": {"round_scores": True}}
    return {**hinges, "CosineSimilarity": mean}, {**hinges, **of_metrics}


def _is_of_the_first_formulas(keras_version: str) -> bool:
    """Whether this is Keras up to 2.2, or TensorFlow's own of that time."""
    return numbers(keras_version) < ((2, 3) if is_standalone(keras_version) else (2, 2))


def _mapped(function: Callable[[Any], Any], spec: Any) -> Any:
    """The lists and dicts by output with ``function`` applied to each loss or metric."""
    if isinstance(spec, list):
        return [_mapped(function, item) for item in spec]
    if isinstance(spec, Mapping) and "class_name" not in spec:
        return {key: _mapped(function, item) for key, item in spec.items()}
    return function(spec)


def _said(spec: Any, registry: Registry[Any], meanings: _Meanings) -> Any:
    """A loss or metric with the settings that make it compute as it did."""
    if spec is None:
        return None
    name = str(spec.get("class_name") if isinstance(spec, Mapping) else spec)
    name = _OLD_ALIASES.get(name, name)
    try:
        member = registry.find(name)
    except UnknownNameError:
        return spec
    kind = getattr(member, "__name__", "")
    meaning = meanings.get(kind)
    if isinstance(spec, Mapping):
        return said_beside(spec, **meaning) if meaning else spec
    config = {} if registry is LOSSES else {"name": spec}
    return said_beside({"class_name": kind, "config": config}, **meaning) if meaning else name
