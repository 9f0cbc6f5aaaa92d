"""The facts that all ranks must agree on before they work together."""

from __future__ import annotations

from collections.abc import Container
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np

from distnet import kernels
from distnet.callbacks import Profiler
from distnet.data.arrays import ArrayData
from distnet.data.sources import Source
from distnet.distribution import distribution
from distnet.parallel.replicas import describe_arrays
from distnet.registry import describing, to_json
from distnet.training.fit_arguments import FitOptions
from distnet.training.trained_model import TrainedModel

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
        "the training data": _described(train.sample),
        "the validation data": None if validation is None else _described(validation.sample),
        "the fit arguments": {**arguments, "steps": steps, "profiled steps": profiled},
    }


def model_facts(model: TrainedModel) -> dict[str, object]:
    """Architecture, wiring, compile settings, progress, seed and versions, by name."""
    with describing():
        return _model_facts(model)


def _model_facts(model: TrainedModel) -> dict[str, object]:
    return {
        "the architecture": [_anonymous(to_json(layer)) for layer in model.layers],
        "the wiring": model.wiring(),
        "the compile settings": to_json(model.compile_settings),
        "the optimizer": None if model.optimizer is None else _anonymous(model.optimizer.as_json()),
        "the distribution": repr(distribution()),
        "the seed": model.training_state.seed,
        "the training step": model.training_state.step,
        "the versions": {"distnet": _own_version(), "numpy": np.__version__, "kernels": kernels.current().name},
    }


@cache
def _own_version() -> str:
    return version("distnet")


def data_facts(data: ArrayData, **arguments: object) -> dict[str, object]:
    """What ``evaluate`` and ``predict`` were asked, by name."""
    return {"the data": _described(data), "the arguments": arguments}


def _described(data: ArrayData) -> dict[str, Any]:
    weights = [w for w in data.weight if w is not None]
    return {name: describe_arrays(a) for name, a in (("x", data.x), ("y", data.y), ("sample_weight", weights))}


def _anonymous(description: Any) -> Any:
    """Without the automatic names, which count what each process made."""
    if isinstance(description, dict):
        return {key: _anonymous(value) for key, value in description.items() if key != "name"}
    if isinstance(description, list | tuple):
        return [_anonymous(value) for value in description]
    return description
