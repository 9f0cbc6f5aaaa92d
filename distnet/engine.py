"""Keras 1's and 2's path for models and layers."""

from __future__ import annotations

from distnet.absent import names_elsewhere
from distnet.old_paths import old_paths
from distnet.utils.generic_utils import slice_arrays

__getattr__ = names_elsewhere(__name__, ["models", "layers", "layers.engine.base"])

old_paths(__name__, "base_layer functional input_layer keras_tensor network sequential topology", "engine")
old_paths(__name__, "training", "engine", slice_arrays=slice_arrays, slice_X=slice_arrays)
