"""Keras's operations that distnet lacks, and what to use instead."""

from __future__ import annotations

from distnet.absent import because

_COMPUTED = (
    "it is not among distnet's operations. Use NumPy on arrays; within a model use a layer, or write one with forward "
    "and backward."
)

ABSENT_OPS = {
    **because(
        _COMPUTED,
        """
        argpartition corrcoef correlate histogram nanargmax nanargmin nancumprod nancumsum nanmax
        nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar percentile
        ptp searchsorted top_k trapezoid unique
    """,
    ),
}
"""Name -> why it is missing."""
