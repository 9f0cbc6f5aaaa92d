"""Activations by Keras's names: functions of an array that know their gradient.

Each name is an object: call it, ``relu(x, negative_slope=0.1)``, or pass it, or its name, to a layer. For other
options make an object of its class: ``Dense(64, activation=LeakyReLU(0.01))``.

>>> relu([-1.0, 2.0])
array([0., 2.], dtype=float32)
>>> get("softmax")
Softmax(axis=-1)
"""

from distnet.activations.base import ACTIVATIONS, Activation, deserialize, get, serialize
from distnet.activations.curves import SparsePlus, Squareplus
from distnet.activations.exponentials import CELU, ELU, SELU, Exponential
from distnet.activations.gates import GELU, GLU, HardSiLU, Mish, SiLU
from distnet.activations.of_functions import FunctionActivation as FunctionActivation
from distnet.activations.rectifiers import LeakyReLU, Linear, ReLU
from distnet.activations.shrinkers import HardShrink, SoftShrink, TanhShrink, Threshold
from distnet.activations.sigmoids import (
    HardSigmoid,
    HardTanh,
    LogSigmoid,
    Sigmoid,
    Softplus,
    Softsign,
    SparseSigmoid,
    Tanh,
)
from distnet.activations.softmaxes import LogSoftmax, Softmax, Sparsemax

celu = CELU()
elu = ELU()
exponential = Exponential()
gelu = GELU()
glu = GLU()
hard_shrink = HardShrink()
hard_sigmoid = HardSigmoid()
hard_silu = hard_swish = HardSiLU()
hard_tanh = HardTanh()
leaky_relu = LeakyReLU()
linear = Linear()
log_sigmoid = LogSigmoid()
log_softmax = LogSoftmax()
mish = Mish()
relu = ReLU()
relu6 = get("relu6")
selu = SELU()
sigmoid = Sigmoid()
silu = swish = SiLU()
soft_shrink = SoftShrink()
softmax = Softmax()
softplus = Softplus()
softsign = Softsign()
sparse_plus = SparsePlus()
sparse_sigmoid = SparseSigmoid()
sparsemax = Sparsemax()
squareplus = Squareplus()
tanh = Tanh()
tanh_shrink = TanhShrink()
threshold = Threshold()

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "CELU",
    "ELU",
    "Exponential",
    "GELU",
    "GLU",
    "HardShrink",
    "HardSiLU",
    "HardSigmoid",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "SELU",
    "SiLU",
    "Sigmoid",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Sparsemax",
    "Squareplus",
    "Tanh",
    "TanhShrink",
    "Threshold",
    "__all__",
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
