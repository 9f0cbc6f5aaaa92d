"""``keras.ops``: each function of tensors once, its value and its gradient; and ``GradientTape``."""

from __future__ import annotations

from typing import Any

from distnet.late_rooms import fetch
from distnet.ops.algebra import add as add
from distnet.ops.algebra import divide as divide
from distnet.ops.algebra import multiply as multiply
from distnet.ops.algebra import negative as negative
from distnet.ops.algebra import power as power
from distnet.ops.algebra import subtract as subtract
from distnet.ops.algebra import true_divide as true_divide
from distnet.ops.comparisons import equal as equal
from distnet.ops.comparisons import greater as greater
from distnet.ops.contractions import matmul as matmul
from distnet.ops.gradient_tape import GradientTape as GradientTape
from distnet.ops.indexing import get_item as get_item
from distnet.ops.indexing import where as where
from distnet.ops.reductions import mean as mean
from distnet.ops.reductions import sum as sum
from distnet.ops.shaping import broadcast_to as broadcast_to
from distnet.ops.shaping import cast as cast
from distnet.ops.shaping import reshape as reshape
from distnet.ops.shaping import swapaxes as swapaxes
from distnet.ops.shaping import transpose as transpose
from distnet.ops.smooth import exp as exp
from distnet.ops.smooth import log as log
from distnet.ops.smooth import square as square
from distnet.ops.smooth import tanh as tanh


def __getattr__(name: str) -> Any:
    return getattr(fetch("operation"), name)
