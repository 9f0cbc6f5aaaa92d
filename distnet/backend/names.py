"""Functions of NumPy and of ``distnet.activations`` that Keras 2's backend has under the same names."""

from __future__ import annotations

from distnet.activations import sigmoid as sigmoid
from distnet.activations import softplus as softplus
from distnet.activations import softsign as softsign
from distnet.activations import tanh as tanh
