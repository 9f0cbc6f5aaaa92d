"""Layers that normalize: over the global batch, a row, a group of channels, a vector."""

from __future__ import annotations

from distnet.layers.normalization.batch_normalization import BatchNormalization as BatchNormalization
from distnet.layers.normalization.group_normalization import GroupNormalization as GroupNormalization
from distnet.layers.normalization.layer_normalization import LayerNormalization as LayerNormalization
from distnet.layers.normalization.rms_normalization import RMSNormalization as RMSNormalization
from distnet.layers.normalization.unit_normalization import UnitNormalization as UnitNormalization
from distnet.layers.old_paths import __getattr__ as __getattr__
