"""Activations that map small numbers to zero, or to another value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from distnet.activations.base import OfOps, register
from distnet.arguments import NOT_NEGATIVE, number
from distnet.ops.nn import shrinking


@register("hard_shrink")
@dataclass(frozen=True)
class HardShrink(OfOps):
    """``y = z`` where ``|z| > threshold``, else 0.

    Args:
        threshold: at least 0.

    Source: ``keras.activations.hard_shrink``.
    """

    function: ClassVar = shrinking.hard_shrink
    threshold: float = number(0.5, NOT_NEGATIVE)


hard_shrink = HardShrink()


@register("soft_shrink")
@dataclass(frozen=True)
class SoftShrink(OfOps):
    """z moved towards 0 by ``threshold``, or to 0 if it is nearer: ``y = z - clip(z, -threshold, threshold)``.

    Args:
        threshold: at least 0.

    Source: ``keras.activations.soft_shrink``.
    """

    function: ClassVar = shrinking.soft_shrink
    threshold: float = number(0.5, NOT_NEGATIVE)


soft_shrink = SoftShrink()


@register("tanh_shrink")
@dataclass(frozen=True)
class TanhShrink(OfOps):
    """``y = z - tanh(z)``."""

    function: ClassVar = shrinking.tanh_shrink


tanh_shrink = TanhShrink()


@register("threshold")
@dataclass(frozen=True)
class Threshold(OfOps):
    """``y = z`` where ``z > threshold``, else ``default_value``.

    Args:
        threshold: the value that z must exceed.
        default_value: the output elsewhere.

    Source: ``keras.activations.threshold``, where both must be given.
    """

    function: ClassVar = shrinking.threshold
    threshold: float = 0.0
    default_value: float = 0.0


threshold = Threshold()
