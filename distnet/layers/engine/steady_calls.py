"""Runs of a user's ``call`` that are made again without it, where its text and its trail say that it does the same.

The text says which functions are applied: so many, without branches, to the inputs, weights and constants alone. The
trail has their nodes. If each of the functions left one, computed from what the others and the weights gave, then the
same functions on what the inputs and weights now hold are the same call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from distnet.layers.engine.call_arguments import takes_masks
from distnet.layers.engine.function_text import NotStraight
from distnet.layers.engine.inline import has_own_mask
from distnet.layers.engine.straight_text import StraightText
from distnet.layers.engine.structures import Slot
from distnet.ops.routes import Trail
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array
from distnet.variables import Variable

Wiring: TypeAlias = tuple[TapeNode, list[tuple[int, int]], list[tuple[int, Tensor, Variable]]]
"""A node; its operands that earlier nodes make, by number; those that are weights."""


def again(
    layer: Any, inputs: list[Tensor], output: Tensor, trail: Trail, ctx: Any
) -> Callable[[], Array | None] | None:
    """What makes the call again, in which only this output came of these inputs, nothing else; None if nothing may.

    It gives the output, or None where the call could do something else now.
    """
    given = ctx.options.get("arguments")
    is_plain = given is None or (not given[1] and all(type(a) is Slot for a in given[0]))
    if not is_plain or ctx.mask is not None or takes_masks(layer) or has_own_mask(layer) or not trail.is_whole:
        return None
    try:
        text = StraightText(layer, len(inputs))
    except NotStraight:
        return None
    wirings = [_wiring(number, inputs, trail) for number in range(len(trail.nodes))]
    if text.applications != len(wirings) or None in wirings or output.node is not trail.nodes[-1]:
        return None
    known: list[Wiring] = [wiring for wiring in wirings if wiring is not None]

    def make() -> Array | None:
        return _made(known) if text.holds() else None

    return make


def _wiring(number: int, inputs: list[Tensor], trail: Trail) -> Wiring | None:
    """What a node's operands are; None where one is neither an input, a result, a weight nor a constant of Python's."""
    node = trail.nodes[number]
    from_nodes, from_weights = list[tuple[int, int]](), list[tuple[int, Tensor, Variable]]()
    for i, operand in enumerate(node.computed[0]):
        if type(operand) is not Tensor:
            if not isinstance(operand, bool | int | float | str | None):
                return None
        elif operand.node in trail.nodes[:number]:
            from_nodes.append((i, trail.nodes.index(operand.node)))
        elif operand.read is not None and operand.value is operand.read[0].value:
            from_weights.append((i, operand, operand.read[0]))
        elif not any(operand is tensor for tensor in inputs):
            return None
    return node, from_nodes, from_weights


def _made(wirings: list[Wiring]) -> Array:
    """What the last node makes, when each has been computed again."""
    y = np.empty(0)
    for node, from_nodes, from_weights in wirings:
        operands, plain, options, _ = node.computed
        for i, number in from_nodes:
            plain[i] = wirings[number][0].computed[3]
        for i, weight, variable in from_weights:
            plain[i], weight.read = variable.value, (variable, variable.changes)
        y = np.asarray(node.function.value(*plain, **options))
        node.computed = operands, plain, options, y
    return y
