"""How tensors were made, and what follows from it: gradients, and gradients of gradients.

A tensor refers to the node that made it, a node to the tensors it was made of. Gradients are taken by walking from the
results back. While something is followed (a ``GradientTape`` is open, a user's layer trains), the gradients are
themselves made by nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any, TypeAlias

import numpy as np

from distnet.errors import ArgumentError
from distnet.ops.recording import STATE, computing_gradients, is_recording
from distnet.ops.tensor import TapeNode, Tensor
from distnet.types import Array
from distnet.variables import VIEW, Variable

Key: TypeAlias = tuple[TapeNode, int]
"""A tensor, by the node that made it and its place among the results."""

_NUMBER = attrgetter("number")

_OF_WEIGHTS = -1
"""The number of nodes that stand for variables: before all others, whenever they are made."""


class following:  # noqa: N801 - a function's name
    """Within the block functions of tensors leave nodes, if ``is_recorded``.

    Args:
        is_recorded: False within an outer block that records leaves that as it is.
        is_call: whether the block is a layer's ``call``.
        is_tape: whether it is a ``GradientTape``'s.
        nodes: takes the nodes of functions that make one tensor, in order; by default those who took them before do.
    """

    __slots__ = ("_before", "_is_call", "_is_recorded", "_is_tape", "_nodes")

    def __init__(
        self, is_recorded: bool = True, is_call: bool = False, is_tape: bool = False,
        nodes: list[TapeNode] | None = None,
    ) -> None:  # fmt: skip
        self._is_recorded, self._is_call, self._is_tape, self._nodes = is_recorded, is_call, is_tape, nodes

    def __enter__(self) -> None:
        STATE.recording += self._is_recorded
        STATE.following += 1
        STATE.calls += self._is_call
        STATE.tapes += self._is_tape
        self._before = VIEW.as_tensor, STATE.nodes
        VIEW.as_tensor = leaf
        if self._nodes is not None:
            STATE.nodes = self._nodes

    def __exit__(self, *error: object) -> None:
        VIEW.as_tensor, STATE.nodes = self._before
        STATE.recording -= self._is_recorded
        STATE.following -= 1
        STATE.calls -= self._is_call
        STATE.tapes -= self._is_tape


@contextmanager
def unfollowed() -> Iterator[None]:
    """Within the block, as outside of all others: no gradients flow, and NumPy may be called on tensors."""
    state, before = vars(STATE).copy(), VIEW.as_tensor
    STATE.recording = STATE.following = STATE.calls = STATE.tapes = 0
    VIEW.as_tensor = None
    try:
        yield
    finally:
        vars(STATE).update({"recording": 0, "following": 0, "calls": 0, "tapes": 0, **state})
        VIEW.as_tensor = before


def watched(tensor: Tensor) -> Tensor:
    """The tensor, as a source of gradients, unless it has a node already."""
    if tensor.node is None:
        tensor.node = TapeNode()
    return tensor


def leaf(variable: Variable) -> Tensor:
    """The variable's value as a tensor; a source of gradients while functions are recorded."""
    value = variable.value if variable.trainable else variable.value.copy()  # a state may be assigned in between
    if not is_recording():
        return Tensor(value)
    tensor = Tensor(value, node_of(variable))
    if variable.trainable:
        tensor.read = variable, variable.changes
        for variables in STATE.accessed:
            variables[id(variable)] = variable
    return tensor


def node_of(variable: Variable) -> TapeNode:
    """The node that stands for the variable."""
    node: TapeNode | None = variable.node
    if node is None:
        node = variable.node = TapeNode(number=_OF_WEIGHTS)
    return node


class Gradients:
    """Gradients of some results by sources.

    On several ranks those of what all ranks share come in parts: ``own`` must be summed over ranks, ``shared`` is the
    same on all.
    """

    def __init__(self) -> None:
        self.own: dict[Key, Any] = {}
        self.shared: dict[Key, Any] = {}


def gradients(results: Sequence[tuple[Tensor, Any]], sources: Sequence[Key], since: int = 0) -> Gradients:
    """The gradients of results by sources.

    Args:
        results: each with the gradient of what is differentiated by it.
        sources: nodes with the number of the output.
        since: number of the first node that counts; what was computed before is constant.
    """
    with computing_gradients():
        return _walked(results, sources, since)


def _walked(results: Sequence[tuple[Tensor, Any]], sources: Sequence[Key], since: int) -> Gradients:
    """See ``gradients``."""
    followed, wanted, ends = is_recording(), set(sources), {node for node, _ in sources}
    made = Gradients()
    known: dict[TapeNode, dict[int, Any]] = {}
    for tensor, dy in results:
        if tensor.node is not None and (tensor.node.number >= since or tensor.node.pull is None):
            add_gradient(known.setdefault(tensor.node, {}), tensor.index, dy)
    order, leading = _leading_to(ends, known, since)
    for node in order:
        each = known.pop(node, None)
        if each is None:
            continue
        if node in ends:
            for index, dy in each.items():
                if (node, index) in wanted:
                    add_gradient(made.shared, (node, index), dy)
        if node.pull is None:
            continue
        parents = node.parents
        if node.sums_ranks and not followed:
            parent = parents[0]
            if parent is not None and parent.node is not None and parent.node.pull is None:
                if (parent.node, parent.index) in wanted:
                    add_gradient(made.own, (parent.node, parent.index), each[0])
                continue
        check_unchanged(node)
        node.needed = [parent is not None and parent.node in leading for parent in parents]
        dys = [each[0]] if len(each) == 1 and 0 in each else [each.get(index) for index in range(max(each) + 1)]
        for parent, is_needed, dx in zip(parents, node.needed, node.pull(node, dys, followed), strict=True):
            if is_needed and dx is not None and parent is not None and parent.node is not None:
                before = known.get(parent.node)
                if before is None:
                    known[parent.node] = {parent.index: dx}
                else:
                    add_gradient(before, parent.index, dx)
    return made


def check_unchanged(node: TapeNode) -> None:
    """Fail if a variable that the node was computed from has been changed since.

    Raises:
        ArgumentError: one has.
    """
    for parent in node.parents:
        if parent is not None and parent.read is not None and parent.read[0].changes != parent.read[1]:
            raise ArgumentError(
                f"the variable {parent.read[0].path!r} was changed after it was used and before gradients were taken, "
                "which would be wrong. Compute all gradients first, then apply them or assign."
            )


def add_gradient(known: dict[Any, Any], key: Any, dy: Any) -> None:
    """Add to the gradient that is known so far."""
    known[key] = known[key] + dy if key in known else dy


def _leading_to(sources: set[TapeNode], ends: Iterable[TapeNode], since: int) -> tuple[list[TapeNode], set[TapeNode]]:
    """The nodes between the results and the sources, the latest first, and as a set."""
    ordered = list(ends)
    seen = set(ordered)
    for child in ordered:
        for parent in child.parents:
            node = None if parent is None else parent.node
            if node is not None and node not in seen and (node.number >= since or node.pull is None):
                seen.add(node)
                ordered.append(node)
    ordered.sort(key=_NUMBER)
    leading = set[TapeNode]()
    for node in ordered:
        if node in sources:
            leading.add(node)
            continue
        for parent in node.parents:
            if parent is not None and parent.node in leading:
                leading.add(node)
                break
    return [node for node in reversed(ordered) if node in leading], leading


def constant(value: Any) -> Array:
    """The value of a tensor or a variable, or the value as an array."""
    if isinstance(value, Tensor | Variable):
        return value.value
    return np.asarray(value)
