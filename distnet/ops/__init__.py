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
from distnet.ops.nn.bending import celu as celu
from distnet.ops.nn.bending import elu as elu
from distnet.ops.nn.bending import selu as selu
from distnet.ops.nn.bending import sparse_plus as sparse_plus
from distnet.ops.nn.bending import squareplus as squareplus
from distnet.ops.nn.gating import gelu as gelu
from distnet.ops.nn.gating import glu as glu
from distnet.ops.nn.gating import hard_silu as hard_silu
from distnet.ops.nn.gating import hard_swish as hard_swish
from distnet.ops.nn.gating import silu as silu
from distnet.ops.nn.gating import swish as swish
from distnet.ops.nn.rectifying import leaky_relu as leaky_relu
from distnet.ops.nn.rectifying import relu as relu
from distnet.ops.nn.rectifying import relu6 as relu6
from distnet.ops.nn.shrinking import hard_shrink as hard_shrink
from distnet.ops.nn.shrinking import soft_shrink as soft_shrink
from distnet.ops.nn.shrinking import tanh_shrink as tanh_shrink
from distnet.ops.nn.shrinking import threshold as threshold
from distnet.ops.nn.simplex import log_softmax as log_softmax
from distnet.ops.nn.simplex import softmax as softmax
from distnet.ops.nn.simplex import sparsemax as sparsemax
from distnet.ops.nn.squashing import hard_sigmoid as hard_sigmoid
from distnet.ops.nn.squashing import hard_tanh as hard_tanh
from distnet.ops.nn.squashing import log_sigmoid as log_sigmoid
from distnet.ops.nn.squashing import sigmoid as sigmoid
from distnet.ops.nn.squashing import softplus as softplus
from distnet.ops.nn.squashing import softsign as softsign
from distnet.ops.nn.squashing import sparse_sigmoid as sparse_sigmoid
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
