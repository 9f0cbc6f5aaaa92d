"""The way that the gradients of a user's call take, known from its last run: most calls do the same at every step.

A run leaves a trail of nodes. Where it is that of the run before, the gradients take the same way, to the same sums in
the same order, and nothing is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from distnet.ops.primitive import gradient_by
from distnet.ops.recording import computing_gradients, is_recording
from distnet.ops.tape import Gradients, Key, add_gradient, check_unchanged, gradients
from distnet.ops.tensor import TapeNode, Tensor, next_number

Place: TypeAlias = int | TapeNode | None

Turn: TypeAlias = tuple[int, list[tuple[int, Place]]]
"""The place of a node, and of those of its operands whose gradients are wanted the number and the place."""


class Trail:
    """The nodes of one run.

    Args:
        inputs: how many nodes stand for its inputs; they are made next, before any other.
    """

    def __init__(self, inputs: int) -> None:
        self.first = next_number() + 1
        self.inputs = inputs
        self.nodes: list[TapeNode] = []
        """Of functions of tensors that make one tensor, in order."""
        self._next = self.first

    def end(self) -> None:
        """Say that the run is over."""
        self._next = next_number()

    @property
    def is_whole(self) -> bool:
        """Whether no other nodes were made in the run, such as those of built-in layers within the call."""
        return bool(self.nodes) and self._next == self.first + self.inputs + len(self.nodes)

    def place(self, node: TapeNode | None) -> Place:
        """What a node is known by: those of the run by a number from 0 on, an older one by itself."""
        return node if node is None or node.number < self.first else node.number - self.first


class Route:
    """Takes the gradients of one call in a graph, from step to step."""

    def __init__(self) -> None:
        self._form: list[Any] | None = None
        self._trail: Trail | None = None
        self._ends: tuple[int, bool] | None = None
        self._turns: list[Turn] | None = None

    def gradients(self, results: Sequence[tuple[Tensor, Any]], sources: Sequence[Key], trail: Trail) -> Gradients:
        """As ``tape.gradients`` gives them.

        Args:
            trail: of the run that made the results, whose inputs are among the sources.
        """
        ends = len(results), is_recording()
        if trail is not self._trail or ends != self._ends or self._turns is None:
            form = None if is_recording() or not trail.is_whole else _form(results, sources, trail)
            if form is None or form != self._form:
                self._turns = None
            elif self._turns is None:
                self._turns = _turns(sources, trail)
            self._form, self._trail, self._ends = form, trail, ends
        if self._turns is None:
            return gradients(results, sources)
        with computing_gradients():
            return _taken(self._turns, results, sources, trail)


def _form(results: Sequence[tuple[Tensor, Any]], sources: Sequence[Key], trail: Trail) -> list[Any]:
    """What decides the way: each function with the places of its parents, then those of the results and the sources."""
    form: list[Any] = []
    place = trail.place
    for node in trail.nodes:
        form.append(node.function)
        for parent in node.parents:
            form.append(None if parent is None else place(parent.node))
    form += [place(tensor.node) for tensor, _ in results]
    form.append("by")
    form += [place(node) for node, _ in sources]
    return form


def _turns(sources: Sequence[Key], trail: Trail) -> list[Turn] | None:
    """The nodes between results and sources, the latest first; None where there are nodes of another kind."""
    leading = {trail.place(node) for node, _ in sources}
    turns: list[Turn] = []
    for number, node in enumerate(trail.nodes, trail.inputs):
        wanted: list[tuple[int, Place]] = []
        for i, parent in enumerate(node.parents):
            place = None if parent is None else trail.place(parent.node)
            if isinstance(place, TapeNode) and place.pull is not None:
                return None
            if place is not None and place in leading:
                wanted.append((i, place))
        if wanted:
            leading.add(number)
            turns.append((number, wanted))
    turns.reverse()
    return turns


def _taken(
    turns: Sequence[Turn], results: Sequence[tuple[Tensor, Any]], sources: Sequence[Key], trail: Trail
) -> Gradients:
    """The gradients, by the way that is known."""
    known: dict[Place, Any] = {}
    for tensor, dy in results:
        add_gradient(known, trail.place(tensor.node), dy)
    for number, wanted in turns:
        dy = known.pop(number, None)
        if dy is None:
            continue
        node = trail.nodes[number - trail.inputs]
        check_unchanged(node)
        for i, place in wanted:
            dx = gradient_by(node, i, dy)
            if dx is not None:
                add_gradient(known, place, dx)
    made = Gradients()
    for key in sources:
        dx = known.get(trail.place(key[0]))
        if dx is not None:
            made.shared[key] = dx
    return made
