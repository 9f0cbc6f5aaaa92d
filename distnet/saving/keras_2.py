"""What is written for Keras 2 alone: its own forms, wherever no one form suits both Keras 2 and Keras 3.

- A call with placeholders among its other arguments, such as ``initial_state``: ``functional_config`` writes Keras
  3's form of it, which Keras 2 cannot read. So it does of operations: see ``keras_2_operations``.
- ``MultiHeadAttention`` with the shapes that it was built for: Keras 2 does not make the layer without them, Keras 3
  not with them.
- ``hard_sigmoid``, by which Keras 2 means another function than Keras 3: each is called by that name only in the files
  for the Keras that means it. What Keras 2 lacks, it refuses.
- The optimizer's class and state: see ``keras_optimizer.for_keras_2``.

Source: ``Node.serialize`` and ``MultiHeadAttention.get_config`` of tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from distnet.optimizers import Optimizer
from distnet.registry import beside, said_beside, to_json
from distnet.saving.dialects import ACTIVATIONS, HARD_SIGMOID, KERAS_2_VERSION, KERAS_VERSION
from distnet.saving.keras_2_operations import entry_for_keras_2
from distnet.saving.keras_optimizer import for_keras_2
from distnet.saving.optimizer_schemes import Scheme
from distnet.types import Json

_ATTENTION = "MultiHeadAttention"
_HARD_SIGMOID_OF_KERAS_3 = {"class_name": "HardSigmoid", "config": {"slope": 1 / 6}}


@dataclass(frozen=True)
class Dialect:
    """How configurations are written.

    Args:
        version: says what is meant: see ``dialects``.
        model: rewrites a model's configuration.
        optimizer: the configuration of an optimizer, and how its state is listed; None where it is not.
    """

    version: str
    model: Callable[[Json], Json]
    optimizer: Callable[[Optimizer], tuple[Scheme | None, Json]]


def _as_written(config: Json) -> Json:
    return config


def _for_both(optimizer: Optimizer) -> tuple[None, Json]:
    return None, to_json(optimizer)


def in_words_of_keras_2(config: Json) -> Json:
    """A configuration with Keras 2's calls, attention and activations in the place of Keras 3's."""
    if isinstance(config, list):
        return [in_words_of_keras_2(item) for item in config]
    if not isinstance(config, dict):
        return config
    if str(config.get("module")).startswith("keras.src.ops.") and "inbound_nodes" in config:
        return entry_for_keras_2(config, str(config["name"]))
    translated = {key: in_words_of_keras_2(item) for key, item in config.items() if key != "inbound_nodes"}
    translated.update({key: _activation(config[key]) for key in ACTIVATIONS if key in config})
    if beside(config):  # is distnet's, not Keras 2's
        translated = said_beside(translated, **beside(config))
    nodes = cast("list[Any]", config.get("inbound_nodes"))
    if nodes is None:
        return translated
    if config["class_name"] == _ATTENTION:
        translated["config"] = {**cast("dict[str, Json]", translated["config"]), **_attention_shapes(nodes[0])}
    return {**translated, "inbound_nodes": [_call(node) if isinstance(node, Mapping) else node for node in nodes]}


def _activation(config: Json) -> Json:
    if config == "hard_sigmoid":
        return cast(Json, dict(_HARD_SIGMOID_OF_KERAS_3))
    return "hard_sigmoid" if config == HARD_SIGMOID else config


def _call(node: Mapping[str, Any]) -> Json:
    """Keras 3's ``{args, kwargs}`` as Keras 2's ``[[layer, call, output, kwargs], ...]``."""
    kwargs = _with_references(node["kwargs"])
    return [[*tensor["keras_history"], kwargs] for tensor in _tensors(node["args"])]


def _attention_shapes(node: Mapping[str, Any]) -> dict[str, Json]:
    """The shapes of query, value and key in Keras 3's form of a call."""
    (query,), (value,) = _tensors(node["args"]), _tensors(node["kwargs"]["value"])
    (key,) = _tensors(node["kwargs"].get("key", node["kwargs"]["value"]))
    return {"query_shape": query["shape"], "key_shape": key["shape"], "value_shape": value["shape"]}


def _with_references(value: Any) -> Json:
    if _is_tensor(value):
        return cast(Json, value["config"]["keras_history"])
    if isinstance(value, Mapping):
        return {key: _with_references(item) for key, item in value.items()}
    return [_with_references(item) for item in value] if isinstance(value, list) else value


def _tensors(value: Any) -> Iterator[Mapping[str, Any]]:
    """What is said of each placeholder, in order."""
    if _is_tensor(value):
        yield value["config"]
    elif isinstance(value, Mapping | Sequence) and not isinstance(value, str):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


FOR_BOTH = Dialect(KERAS_VERSION, _as_written, _for_both)
"""One form for Keras 2 and Keras 3 wherever there is one, else Keras 3's."""

FOR_KERAS_2 = Dialect(KERAS_2_VERSION, in_words_of_keras_2, for_keras_2)
