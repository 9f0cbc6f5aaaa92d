"""What is written only for Keras 2: its own forms, wherever no form suits both Keras 2 and Keras 3.

- A call with placeholders among its other arguments, such as ``initial_state``: ``graph_writing`` writes Keras
  3's form of it, which Keras 2 cannot read. So it does of operations: see ``keras_2_operations``.
- ``MultiHeadAttention`` with the shapes that it was built for: Keras 2 does not make the layer without them, Keras 3
  not with them.
- ``hard_sigmoid``, by which Keras 2 means another function than Keras 3: each is called by that name only in the files
  for the Keras that means it. What Keras 2 lacks, it refuses.
- The optimizer's class and state: see ``optimizer_state.for_keras_2``.

Source: ``Node.serialize`` and ``MultiHeadAttention.get_config`` of tf_keras 2.21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from distnet.dialects.keras_2_operations import entry_for_keras_2
from distnet.dialects.optimizer_schemes import Scheme
from distnet.dialects.optimizer_state import for_keras_2
from distnet.dialects.reading import ACTIVATIONS, HARD_SIGMOID
from distnet.dialects.versions import KERAS_2_VERSION, KERAS_VERSION
from distnet.optimizers import Optimizer
from distnet.registry import beside, said_beside, to_json
from distnet.types import Json

_ATTENTION = "MultiHeadAttention"
_HARD_SIGMOID_OF_KERAS_3 = {"class_name": "HardSigmoid", "config": {"slope": 1 / 6}}


@dataclass(frozen=True)
class Dialect:
    """How configurations are written.

    Args:
        version: says what is meant: see ``reading``.
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
    """A configuration with Keras 2's calls, attention and activations instead of Keras 3's."""
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
"""The form that both Keras 2 and Keras 3 read where there is one, else Keras 3's."""

FOR_KERAS_2 = Dialect(KERAS_2_VERSION, in_words_of_keras_2, for_keras_2)

_BY_SHAPE = {
    **dict.fromkeys(("accuracy", "acc"), "SparseCategoricalAccuracy"),
    **dict.fromkeys(("crossentropy", "ce"), "SparseCategoricalCrossentropy"),
}
"""What words that mean a metric by the shapes mean for class numbers."""


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
    by_name = [{names[i]: values[i] for i in known} for values in (losses, weights)]
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
    changed = dict(settings)
    for key in ("metrics", "weighted_metrics"):
        given = settings[key]
        if len(names) == 1:
            changed[key] = _sparse(given) if sparse[0] else given
        elif isinstance(given, list):
            changed[key] = [_sparse(item) if i < len(sparse) and sparse[i] else item for i, item in enumerate(given)]
        elif isinstance(given, dict):
            known = {name for name, is_sparse in zip(names, sparse, strict=True) if is_sparse}
            changed[key] = {name: _sparse(item) if name in known else item for name, item in given.items()}
    return changed


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
