"""Activations by Keras's names: functions of an array that know their gradient.

Each name is an object: call it, ``relu(x, negative_slope=0.1)``, or pass it, or its name, to a layer. For other
options make an object of its class: ``Dense(64, activation=LeakyReLU(0.01))``.

>>> relu([-1.0, 2.0])
array([0., 2.], dtype=float32)
>>> get("softmax")
Softmax(axis=-1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.activations.base import ACTIVATIONS as ACTIVATIONS
from distnet.activations.base import Activation as Activation
from distnet.activations.base import deserialize as deserialize
from distnet.activations.base import get as get
from distnet.activations.base import serialize as serialize
from distnet.activations.of_functions import FunctionActivation as FunctionActivation
from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.activations.curves import SparsePlus as SparsePlus
    from distnet.activations.curves import Squareplus as Squareplus
    from distnet.activations.curves import sparse_plus as sparse_plus
    from distnet.activations.curves import squareplus as squareplus
    from distnet.activations.exponentials import CELU as CELU
    from distnet.activations.exponentials import ELU as ELU
    from distnet.activations.exponentials import SELU as SELU
    from distnet.activations.exponentials import Exponential as Exponential
    from distnet.activations.exponentials import celu as celu
    from distnet.activations.exponentials import elu as elu
    from distnet.activations.exponentials import exponential as exponential
    from distnet.activations.exponentials import selu as selu
    from distnet.activations.gates import GELU as GELU
    from distnet.activations.gates import GLU as GLU
    from distnet.activations.gates import HardSiLU as HardSiLU
    from distnet.activations.gates import Mish as Mish
    from distnet.activations.gates import SiLU as SiLU
    from distnet.activations.gates import gelu as gelu
    from distnet.activations.gates import glu as glu
    from distnet.activations.gates import hard_silu as hard_silu
    from distnet.activations.gates import hard_swish as hard_swish
    from distnet.activations.gates import mish as mish
    from distnet.activations.gates import silu as silu
    from distnet.activations.gates import swish as swish
    from distnet.activations.rectifiers import LeakyReLU as LeakyReLU
    from distnet.activations.rectifiers import Linear as Linear
    from distnet.activations.rectifiers import ReLU as ReLU
    from distnet.activations.rectifiers import leaky_relu as leaky_relu
    from distnet.activations.rectifiers import linear as linear
    from distnet.activations.rectifiers import relu as relu
    from distnet.activations.rectifiers import relu6 as relu6
    from distnet.activations.shrinkers import HardShrink as HardShrink
    from distnet.activations.shrinkers import SoftShrink as SoftShrink
    from distnet.activations.shrinkers import TanhShrink as TanhShrink
    from distnet.activations.shrinkers import Threshold as Threshold
    from distnet.activations.shrinkers import hard_shrink as hard_shrink
    from distnet.activations.shrinkers import soft_shrink as soft_shrink
    from distnet.activations.shrinkers import tanh_shrink as tanh_shrink
    from distnet.activations.shrinkers import threshold as threshold
    from distnet.activations.sigmoids import HardSigmoid as HardSigmoid
    from distnet.activations.sigmoids import HardTanh as HardTanh
    from distnet.activations.sigmoids import LogSigmoid as LogSigmoid
    from distnet.activations.sigmoids import Sigmoid as Sigmoid
    from distnet.activations.sigmoids import Softplus as Softplus
    from distnet.activations.sigmoids import Softsign as Softsign
    from distnet.activations.sigmoids import SparseSigmoid as SparseSigmoid
    from distnet.activations.sigmoids import Tanh as Tanh
    from distnet.activations.sigmoids import hard_sigmoid as hard_sigmoid
    from distnet.activations.sigmoids import hard_tanh as hard_tanh
    from distnet.activations.sigmoids import log_sigmoid as log_sigmoid
    from distnet.activations.sigmoids import sigmoid as sigmoid
    from distnet.activations.sigmoids import softplus as softplus
    from distnet.activations.sigmoids import softsign as softsign
    from distnet.activations.sigmoids import sparse_sigmoid as sparse_sigmoid
    from distnet.activations.sigmoids import tanh as tanh
    from distnet.activations.softmaxes import LogSoftmax as LogSoftmax
    from distnet.activations.softmaxes import Softmax as Softmax
    from distnet.activations.softmaxes import Sparsemax as Sparsemax
    from distnet.activations.softmaxes import log_softmax as log_softmax
    from distnet.activations.softmaxes import softmax as softmax
    from distnet.activations.softmaxes import sparsemax as sparsemax

_HOMES = homes(
    __name__,
    {
        "base": "ACTIVATIONS Activation deserialize get serialize",
        "curves": "SparsePlus Squareplus sparse_plus squareplus",
        "exponentials": "CELU ELU Exponential SELU celu elu exponential selu",
        "gates": "GELU GLU HardSiLU Mish SiLU gelu glu hard_silu hard_swish mish silu swish",
        "rectifiers": "LeakyReLU Linear ReLU leaky_relu linear relu relu6",
        "shrinkers": "HardShrink SoftShrink TanhShrink Threshold hard_shrink soft_shrink tanh_shrink threshold",
        "sigmoids": (
            "HardSigmoid HardTanh LogSigmoid Sigmoid Softplus Softsign SparseSigmoid Tanh hard_sigmoid hard_tanh "
            "log_sigmoid sigmoid softplus softsign sparse_sigmoid tanh"
        ),
        "softmaxes": "LogSoftmax Softmax Sparsemax log_softmax softmax sparsemax",
    },
)
"""Every public name, as above for who checks types. Each is imported when it is first named."""

__all__ = [*_HOMES]

ACTIVATIONS.expect(_HOMES)

__getattr__, __dir__ = late_names(__name__, _HOMES, names_elsewhere(__name__))
