"""Keras 2's path of dtype policies, of which distnet has those of one dtype."""

from __future__ import annotations

from distnet.config import set_dtype_policy as set_dtype_policy
from distnet.dtype_policies import DTypePolicy as DTypePolicy
from distnet.optimizers import LossScaleOptimizer as LossScaleOptimizer

Policy = DTypePolicy
"""Keras 2's name for ``DTypePolicy``."""
set_global_policy = set_dtype_policy
"""Keras 2's name for ``set_dtype_policy``."""


def dtype_policy() -> DTypePolicy:
    """The policy of layers that are made now.

    Source: ``keras.mixed_precision.dtype_policy``.
    """
    return DTypePolicy()


global_policy = dtype_policy
"""Keras 2's name for ``dtype_policy``."""
