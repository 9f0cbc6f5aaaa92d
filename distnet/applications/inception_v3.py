"""InceptionV3: blocks of branches whose large convolutions are factored into small ones.

Source: C. Szegedy and others, 2015 (arXiv:1512.00567); ``keras.applications.inception_v3``.
"""

from __future__ import annotations

from functools import partial

from distnet.applications.assembly import (
    KERAS_FILES,
    Wanted,
    application,
    assembled,
    averaging_top,
    published,
    shape_of,
)
from distnet.applications.branches import branch, side_by_side
from distnet.applications.imagenet_utils import decode_predictions as decode_predictions
from distnet.applications.imagenet_utils import preprocessing
from distnet.applications.parts import NUMBERED, joined
from distnet.layers.engine.base import KerasTensor
from distnet.models import Functional

_STEM = "32@3x3/2 32@3x3v 64@3x3 max 80@1x1v 192@3x3v max"


def _wide(pooled: int) -> tuple[str, ...]:
    """Branches for images of 35x35."""
    return "64@1x1", "48@1x1 64@5x5", "64@1x1 96@3x3 96@3x3", f"avg {pooled}@1x1"


def _factored(filters: int) -> tuple[str, ...]:
    """Branches for images of 17x17: convolutions of 7x7 as 1x7 and 7x1."""
    n = filters
    return (
        "192@1x1",
        f"{n}@1x1 {n}@1x7 192@7x1",
        f"{n}@1x1 {n}@7x1 {n}@1x7 {n}@7x1 192@1x7",
        "avg 192@1x1",
    )


_MIXED = (
    *(_wide(pooled) for pooled in (32, 64, 64)),
    ("384@3x3/2", "64@1x1 96@3x3 96@3x3/2", "max"),
    *(_factored(filters) for filters in (128, 160, 160, 192)),
    ("192@1x1 320@3x3/2", "192@1x1 192@1x7 192@7x1 192@3x3/2", "max"),
)
"""The branches of blocks 0 to 8."""
_FORKED = (9, 10)
"""Blocks whose branches fork."""
_CHECKSUMS = ("9a0d58056eeedaa3f26cb7ebd46da564", "bcbd6486424b2319ff4ef7d526e38f63")


def _inception_v3(wanted: Wanted) -> Functional:
    ending = "" if wanted.include_top else "_notop"
    file = partial(
        published, f"{KERAS_FILES}/inception_v3", f"inception_v3_weights_tf_dim_ordering_tf_kernels{ending}.h5",
        _CHECKSUMS[not wanted.include_top],
    )  # fmt: skip
    return assembled(wanted, shape_of(wanted, 299, 75), _body, averaging_top(wanted), file)


def _body(x: KerasTensor) -> KerasTensor:
    x = branch(x, _STEM)
    for i, lines in enumerate(_MIXED):
        x = side_by_side(x, lines, f"mixed{i}")
    for i, block in enumerate(_FORKED):
        x = joined(
            [
                branch(x, "320@1x1"),
                _fork(branch(x, "384@1x1"), f"mixed9_{i}"),
                _fork(branch(x, "448@1x1 384@3x3")),
                branch(x, "avg 192@1x1"),
            ],
            f"mixed{block}",
        )
    return x


def _fork(x: KerasTensor, name: str = NUMBERED) -> KerasTensor:
    """A convolution of 3x3 as 1x3 beside 3x1."""
    return side_by_side(x, ("384@1x3", "384@3x1"), name)


InceptionV3 = application(
    "InceptionV3", "inception_v3", "C. Szegedy and others, 2015 (arXiv:1512.00567)", _inception_v3
)
preprocess_input = preprocessing("tf", __name__)
