"""Data-parallel training of neural networks on CPUs, with Keras's interface on NumPy, MPI and HDF5.

A room is imported when first used, so that ``import distnet`` takes a few milliseconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from distnet.absent import Absent, because
from distnet.late_rooms import announce, without_looking_for_garbage
from distnet.launcher import watch_for_failure
from distnet.old_paths import old_paths

if TYPE_CHECKING:
    from distnet import activations as activations
    from distnet import applications as applications
    from distnet import backend as backend
    from distnet import callbacks as callbacks
    from distnet import config as config
    from distnet import constraints as constraints
    from distnet import datasets as datasets
    from distnet import distillation as distillation
    from distnet import distribution as distribution
    from distnet import dtype_policies as dtype_policies
    from distnet import engine as engine
    from distnet import errors as errors
    from distnet import initializations as initializations
    from distnet import initializers as initializers
    from distnet import layers as layers
    from distnet import losses as losses
    from distnet import metrics as metrics
    from distnet import mixed_precision as mixed_precision
    from distnet import models as models
    from distnet import objectives as objectives
    from distnet import ops as ops
    from distnet import optimizers as optimizers
    from distnet import preprocessing as preprocessing
    from distnet import random as random
    from distnet import regularizers as regularizers
    from distnet import saving as saving
    from distnet import tree as tree
    from distnet import utils as utils
    from distnet import wrappers as wrappers
    from distnet.dtype_policies import DTypePolicy as DTypePolicy
    from distnet.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
    from distnet.initializers import Initializer as Initializer
    from distnet.layers import Input as Input
    from distnet.layers import InputSpec as InputSpec
    from distnet.layers import Layer as Layer
    from distnet.layers.engine.base import KerasTensor as KerasTensor
    from distnet.layers.engine.own_variable import Variable as Variable
    from distnet.layers.engine.rematerialization import RematScope as RematScope
    from distnet.layers.engine.rematerialization import remat as remat
    from distnet.losses import Loss as Loss
    from distnet.metrics import Metric as Metric
    from distnet.models import Model as Model
    from distnet.models import Sequential as Sequential
    from distnet.ops import GradientTape as GradientTape
    from distnet.optimizers import Optimizer as Optimizer
    from distnet.regularizers import Regularizer as Regularizer

__version__ = "0.1.0"

_ROOMS = frozenset(
    {
        *(
            "activations",
            "applications",
            "backend",
            "callbacks",
            "config",
            "constraints",
            "datasets",
            "distillation",
            "distribution",
            "dtype_policies",
            "engine",
        ),
        *("errors", "initializations", "initializers", "layers", "losses", "metrics", "mixed_precision", "models"),
        "objectives",
        *("ops", "optimizers", "preprocessing", "random", "regularizers", "saving", "tree", "utils", "wrappers"),
    }
)
_HOMES = {
    **{"Variable": "layers.engine.own_variable"},
    **{"device": "distribution"},
    **{"RematScope": "layers.engine.rematerialization", "remat": "layers.engine.rematerialization"},
    **{"DTypePolicy": "dtype_policies", "FloatDTypePolicy": "dtype_policies"},
    **{"Input": "layers", "InputSpec": "layers", "Layer": "layers", "KerasTensor": "layers.engine.base"},
    **{"Model": "models", "Sequential": "models"},
    **{"GradientTape": "ops", "Initializer": "initializers", "Loss": "losses", "Metric": "metrics"},
    **{"Optimizer": "optimizers", "Regularizer": "regularizers"},
}

_ABSENT = {
    **because("models are made of layers and functions of ops. Use Model, Layer or Lambda.", "Function Operation"),
    **because("it serves Keras's backends: leave it out.", "StatelessScope SymbolicScope"),
    **because("weights have the names of their layers and their own: leave it out.", "name_scope"),
    **because("it writes for other frameworks. Save with model.save, and export with Keras.", "export"),
    **because("it draws with OpenCV and Matplotlib. Draw with Matplotlib.", "visualization"),
    **because("it went with TensorFlow's estimators. Train with fit.", "estimator"),
    **because("these modules are Keras's own, not for users.", "src"),
    **because("weights are not quantized: leave it out.", "Quantizer quantizers"),
}

old_paths(__name__, "legacy legacy.saving", "saving.objects_of_keras_2")
announce("layer", lambda: importlib.import_module("distnet.models"))
announce("layer", lambda: importlib.import_module("distnet.utils.feature_space"))
announce("layer", lambda: importlib.import_module("distnet.distillation"))
announce("tape checks", lambda: importlib.import_module("distnet.training.tape_checks"))
watch_for_failure(lambda started: importlib.import_module("distnet.comm").end(started))


def version() -> str:
    """The version of distnet."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        with without_looking_for_garbage():
            return importlib.import_module(f"distnet.{name}")
    if name in _HOMES:
        with without_looking_for_garbage():
            return getattr(importlib.import_module(f"distnet.{_HOMES[name]}"), name)
    if name in _ABSENT:
        return Absent(f"keras.{name}", _ABSENT[name])
    raise AttributeError(f"module 'distnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS, *_HOMES})
