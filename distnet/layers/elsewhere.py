"""Names that programs import from ``keras.layers``, because Keras 1 and 2 imported them there."""

from __future__ import annotations

from distnet import activations as activations
from distnet import constraints as constraints
from distnet import initializers as initializers
from distnet import regularizers as regularizers
from distnet.layers.wrappers.base import Wrapper as Wrapper
