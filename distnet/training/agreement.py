"""The facts that all ranks must agree on before they work together."""

from __future__ import annotations

import re
import zlib
from collections.abc import Container, Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from distnet import config, kernels
from distnet.callbacks import Profiler
from distnet.comm import Communicator
from distnet.data.arrays import ArrayData
from distnet.data.sources import Source
from distnet.distribution import DataParallel, distribution
from distnet.layers.recurrent.kept_states import stateful_layers
from distnet.naming import snake_case
from distnet.optimizers import Optimizer
from distnet.optimizers.wrapping import OptimizerOfOthers
from distnet.parallel.data_checksums import DataChecksums
from distnet.registry import describing, to_json, users_code_of
from distnet.training.fit_arguments import FitOptions
from distnet.training.set_alone import layers_of
from distnet.training.trained_model import TrainedModel
from distnet.variables import Variable

_MOST_EPOCHS = 1000
"""Of so many epochs ranks compare whether each is validated, where an object decides it."""

_DATA_OPTIONS = ("callbacks", "validation_data", "class_weight", "sample_weight", "verbose", "reading")


def facts(
    model: TrainedModel, train: Source, validation: Source | None, options: FitOptions, steps: int | None
) -> dict[str, object]:
    """What ``fit`` needs them to agree on: model, data and arguments, by name."""
    arguments = {key: value for key, value in vars(options).items() if key not in _DATA_OPTIONS}
    frequency = options.validation_freq
    if isinstance(frequency, Container):  # an object's text holds its address, which differs
        last = min(options.epochs, _MOST_EPOCHS)
        arguments["validation_freq"] = [epoch for epoch in range(1, last + 1) if epoch in frequency]
    profiled = [callback.steps for callback in options.callbacks if isinstance(callback, Profiler)]
    return {
        **model_facts(model),
        "the training data": _shapes(train.sample),
        "the validation data": None if validation is None else _shapes(validation.sample),
        "the fit arguments": {**arguments, "steps": steps, "profiled steps": profiled},
    }


def model_facts(model: TrainedModel) -> dict[str, object]:
    """Architecture, wiring, users' code, settings, progress, seed and versions, by name."""
    with describing():
        return _model_facts(model)


def _model_facts(model: TrainedModel) -> dict[str, object]:
    parts = layers_of(model)
    return {
        "the settings": config.compared(),
        "the names": {f"layer {i}" if i else "model": _own_name(part) for i, part in enumerate(parts)},
        "the architecture": {f"layer {i}": anonymous(architecture_of(part)) for i, part in enumerate(parts) if i},
        "the wiring": model.wiring(),
        "the model's code": users_code_of(model),
        "the compile settings": {**(model.compile_settings or {}), "run_eagerly": getattr(model, "run_eagerly", False)},
        "the optimizer": None if model.optimizer is None else anonymous(to_json(model.optimizer)),
        "the variables": _variables(model),
        "the distribution": vars(distribution() or DataParallel()),
        "the seed": model.training_state.seed,
        "the training step": model.training_state.step,
        "the versions": {"distnet": _own_version(), "numpy": np.__version__, "kernels": kernels.current().name},
    }


def _variables(model: TrainedModel) -> dict[str, object]:
    """What was set on variables, not on their layers, and which an optimizer does not decay."""
    spared = [] if model.optimizer is None else [each.spared_from_decay for each in _and_within(model.optimizer)]
    return {
        f"number {i}, {variable.name}": {
            "trainable": variable.trainable,
            "constraint": to_json(variable.constraint),
            "regularizer": to_json(variable.regularizer),
            "excluded from weight decay": [is_spared(variable) for is_spared in spared],
        }
        for i, variable in enumerate(model.variables)
    }


def _and_within(optimizer: Optimizer) -> Iterator[Optimizer]:
    """It and those within it, which may have no variables yet."""
    yield optimizer
    for inner in optimizer.inner.values() if isinstance(optimizer, OptimizerOfOthers) else ():
        yield from _and_within(inner)


def alike_on_ranks(model: TrainedModel) -> list[Variable]:
    """What every rank holds whole: weights, and states of recurrent layers that outlive their batch."""
    return [*model.variables, *states_of(model)]


def states_of(model: TrainedModel) -> list[Variable]:
    """The states of recurrent layers that outlive their batch."""
    return [state for layer in stateful_layers(model) for state in layer.states]


def architecture_of(layer: Any) -> Any:
    """A layer's arguments and users' code; of a model within, whose layers and wiring are compared, its code alone."""
    if not isinstance(getattr(layer, "layers", None), list):
        return to_json(layer)
    return {"class_name": type(layer).__name__, "code": users_code_of(layer)}


def _own_name(layer: Any) -> str | None:
    """Its name; None for an automatic one, which counts what each process made."""
    kind = snake_case(getattr(layer, "kind", None) or type(layer).__name__)
    return None if re.fullmatch(rf"{re.escape(kind)}(_\d+)?", layer.name) else str(layer.name)


@cache
def _own_version() -> str:
    """As installed; else, as where it is only in ``PYTHONPATH``, what tells its files apart."""
    try:
        return version("distnet")
    except PackageNotFoundError:
        package = Path(__file__).parents[1]
        files = sorted((str(path.relative_to(package)), path.stat().st_size) for path in package.rglob("*.py"))
        return f"not installed, with files {zlib.crc32(repr(files).encode()):08x}"


def data_facts(data: ArrayData, **arguments: object) -> dict[str, object]:
    """What ``evaluate`` and ``predict`` were asked, by name."""
    return {"the data": _shapes(data), "the arguments": arguments}


def compared_data(ranks: Communicator, train: Source, validation: Source | None) -> DataChecksums:
    """The data to train and to validate on, as far as all ranks have them before; the first megabytes are compared.

    Raises:
        ReplicaError: the ranks' data differ.
    """
    if ranks.size == 1:
        return DataChecksums(ranks, ())
    sources = (("the training data", train), ("the validation data", validation))
    samples = [(what, source.sample) for what, source in sources if source is not None]
    data = DataChecksums(ranks, [(what, *named) for what, sample in samples for named in sample.named()])
    data.read()
    data.compare()
    return data


def _shapes(data: ArrayData) -> dict[str, object]:
    """Shapes and dtypes; what the arrays hold is compared by ``DataChecksums``."""
    return {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in data.named()}


def anonymous(description: Any) -> Any:
    """Without the automatic names, which count what each process made."""
    if isinstance(description, dict):
        return {key: anonymous(value) for key, value in description.items() if key != "name"}
    if isinstance(description, list | tuple):
        return [anonymous(value) for value in description]
    return description
