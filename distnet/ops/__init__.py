"""``keras.ops``: each function of tensors once, its value and its gradient; and ``GradientTape``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from distnet.ops.arithmetic import add as add
from distnet.ops.arithmetic import divide as divide
from distnet.ops.arithmetic import multiply as multiply
from distnet.ops.arithmetic import negative as negative
from distnet.ops.arithmetic import power as power
from distnet.ops.arithmetic import subtract as subtract
from distnet.ops.arithmetic import true_divide as true_divide
from distnet.ops.comparisons import equal as equal
from distnet.ops.comparisons import greater as greater
from distnet.ops.curves import exp as exp
from distnet.ops.curves import log as log
from distnet.ops.curves import square as square
from distnet.ops.curves import tanh as tanh
from distnet.ops.gradient_tape import GradientTape as GradientTape
from distnet.ops.indexing import get_item as get_item
from distnet.ops.indexing import where as where
from distnet.ops.products import matmul as matmul
from distnet.ops.reductions import mean as mean
from distnet.ops.reductions import sum as sum
from distnet.ops.shaping import broadcast_to as broadcast_to
from distnet.ops.shaping import cast as cast
from distnet.ops.shaping import reshape as reshape
from distnet.ops.shaping import swapaxes as swapaxes
from distnet.ops.shaping import transpose as transpose


def __getattr__(name: str) -> Any:
    return getattr(import_module("distnet.operations_on_arrays"), name)
