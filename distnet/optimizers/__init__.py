"""Keras's optimizers on the flat buffers of a model. Each is imported when it is first named.

>>> get("adam").learning_rate
0.001
>>> deserialize({"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.9}}).momentum
0.9
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.late_rooms import homes, late_names
from distnet.optimizers.base import OPTIMIZERS as OPTIMIZERS
from distnet.optimizers.base import Optimizer as Optimizer
from distnet.optimizers.base import deserialize as deserialize
from distnet.optimizers.base import get as get
from distnet.optimizers.base import serialize as serialize

if TYPE_CHECKING:
    from distnet.optimizers import schedules as schedules
    from distnet.optimizers.adadelta import Adadelta as Adadelta
    from distnet.optimizers.adafactor import Adafactor as Adafactor
    from distnet.optimizers.adagrad import Adagrad as Adagrad
    from distnet.optimizers.adam import Adam as Adam
    from distnet.optimizers.adam import AdamW as AdamW
    from distnet.optimizers.adamax import Adamax as Adamax
    from distnet.optimizers.ftrl import Ftrl as Ftrl
    from distnet.optimizers.lamb import Lamb as Lamb
    from distnet.optimizers.learning_rate import LearningRate as LearningRate
    from distnet.optimizers.lion import Lion as Lion
    from distnet.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
    from distnet.optimizers.multi import MultiOptimizer as MultiOptimizer
    from distnet.optimizers.multi import OptimizerMap as OptimizerMap
    from distnet.optimizers.muon import Muon as Muon
    from distnet.optimizers.nadam import Nadam as Nadam
    from distnet.optimizers.rmsprop import RMSprop as RMSprop
    from distnet.optimizers.schedule_free import ScheduleFreeAdamW as ScheduleFreeAdamW
    from distnet.optimizers.sgd import SGD as SGD

    adadelta = Adadelta
    adagrad = Adagrad
    adam = Adam
    adamax = Adamax
    nadam = Nadam
    rmsprop = RMSprop
    sgd = SGD

_HOMES = {
    "schedules": __name__,
    **homes(
        __name__,
        {
            "adadelta": "Adadelta",
            "adafactor": "Adafactor",
            "adagrad": "Adagrad",
            "adam": "Adam AdamW",
            "adamax": "Adamax",
            "base": "OPTIMIZERS Optimizer deserialize get serialize",
            "ftrl": "Ftrl",
            "lamb": "Lamb",
            "learning_rate": "LearningRate",
            "lion": "Lion",
            "loss_scale": "LossScaleOptimizer",
            "multi": "MultiOptimizer OptimizerMap",
            "muon": "Muon",
            "nadam": "Nadam",
            "rmsprop": "RMSprop",
            "schedule_free": "ScheduleFreeAdamW",
            "sgd": "SGD",
        },
    ),
}
"""Every public name, as above for who checks types."""

__all__ = [*_HOMES]

OPTIMIZERS.expect(_HOMES)

_OF_KERAS_2 = {
    "adadelta": "Adadelta",
    "adagrad": "Adagrad",
    "adam": "Adam",
    "adamax": "Adamax",
    "nadam": "Nadam",
    "rmsprop": "RMSprop",
    "sgd": "SGD",
}
"""Keras 2's other names of classes; modules of these names can be imported all the same."""
_LEGACY = frozenset(
    {
        *("legacy", "adadelta_v2", "adagrad_v2", "adam_v2", "adamax_v2", "gradient_descent_v2", "nadam_v2"),
        "rmsprop_v2",
    }
)


class _Optimizers(ModuleType):
    """A module whose name ``adam`` is the class: Python sets it to the module of that name, once imported."""

    def __setattr__(self, name: str, value: object) -> None:
        is_module = name in _OF_KERAS_2 and isinstance(value, ModuleType)
        super().__setattr__(name, getattr(value, _OF_KERAS_2[name]) if is_module else value)


sys.modules[__name__].__class__ = _Optimizers


_module = names_elsewhere(__name__)


def _old(name: str) -> object:
    """``adam`` and the like; ``legacy``, TensorFlow's ``adam_v2`` and the like, which take their names from here."""
    if name in _OF_KERAS_2:
        return getattr(sys.modules[__name__], _OF_KERAS_2[name])
    if name in _LEGACY:
        return importlib.import_module("distnet.optimizers.legacy")
    return _module(name)


__getattr__, __dir__ = late_names(__name__, _HOMES, _old)
