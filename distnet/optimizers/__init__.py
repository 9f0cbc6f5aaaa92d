"""Keras's optimizers on the flat buffers of a model.

>>> get("adam").learning_rate
0.001
>>> deserialize({"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}).momentum
0.9
"""

import importlib

from distnet.optimizers import schedules
from distnet.optimizers.adadelta import Adadelta
from distnet.optimizers.adafactor import Adafactor
from distnet.optimizers.adagrad import Adagrad
from distnet.optimizers.adam import Adam, AdamW
from distnet.optimizers.adamax import Adamax
from distnet.optimizers.base import OPTIMIZERS, Optimizer, deserialize, get, serialize
from distnet.optimizers.ftrl import Ftrl
from distnet.optimizers.lamb import Lamb
from distnet.optimizers.learning_rate import LearningRate
from distnet.optimizers.lion import Lion
from distnet.optimizers.loss_scale import LossScaleOptimizer
from distnet.optimizers.multi import MultiOptimizer, OptimizerMap
from distnet.optimizers.muon import Muon
from distnet.optimizers.nadam import Nadam
from distnet.optimizers.rmsprop import RMSprop
from distnet.optimizers.schedule_free import ScheduleFreeAdamW
from distnet.optimizers.sgd import SGD

adadelta = Adadelta
adagrad = Adagrad
adam = Adam
adamax = Adamax
nadam = Nadam
rmsprop = RMSprop
sgd = SGD
"""Keras 2's other names; modules of these names can be imported all the same."""

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "LearningRate",
    "Lion",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "ScheduleFreeAdamW",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]

_LEGACY = frozenset(
    {
        *("legacy", "adadelta_v2", "adagrad_v2", "adam_v2", "adamax_v2", "gradient_descent_v2", "nadam_v2"),
        "rmsprop_v2",
    }
)


def __getattr__(name: str) -> object:
    """``legacy``, TensorFlow's ``adam_v2`` and the like, which take their names from here."""
    if name in _LEGACY:
        return importlib.import_module("distnet.optimizers.legacy")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
