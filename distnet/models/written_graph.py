"""The graph that the text of a model's ``call`` says, for one mode, as long as it says so."""

from __future__ import annotations

from typing import Any

from distnet.layers.engine.function_text import NotStraight
from distnet.layers.engine.structures import leaves
from distnet.models.graph import Graph
from distnet.models.layers_text import LayersText, as_if_uncalled
from distnet.models.tracing import graph_of
from distnet.types import STRING

FEW_STEPS = 20
"""A text that says something else after fewer steps changes often."""
_MOST_CHANGES = 3
_READ_AT = frozenset({1, 2, 4, 16, 64})
"""A text that is not straight is read again at these times: its layers are built by the first step, perhaps."""


class WrittenGraph:
    """What the text of a model's ``call`` says.

    Args:
        model: built.
        entries: the placeholders that it is called on, in their structure.
        training: the mode.

    Raises:
        NotStraight: it may do something else at the next step.
    """

    def __init__(self, model: Any, entries: Any, training: bool) -> None:
        self.entries, self.steps = entries, 0
        inputs = list(leaves(entries))
        if any(tensor.dtype == STRING for tensor in inputs):
            raise NotStraight
        with as_if_uncalled(model):
            text = LayersText(model, (entries,), {}, training)
        self.references = text.references
        self.graph = graph_of(inputs, text.calls, list(leaves(text.returned)), as_in_keras_2=True, numbers=text.numbers)


class WrittenGraphs:
    """The graphs of a model by its modes; its copies and pickles begin with none."""

    def __init__(self) -> None:
        self._known: dict[bool, WrittenGraph] = {}
        self._refusals: dict[bool, tuple[Any, int]] = {}
        """The entries for which there was no graph, and how often it was asked for."""
        self._changes = 0

    def __reduce__(self) -> tuple[Any, tuple[()]]:
        return WrittenGraphs, ()

    def of(self, model: Any, entries: Any, training: bool) -> Graph | None:
        """The graph in a mode; None where the text does not say it, or often says another one."""
        known = self._known.get(training)
        if known is not None and known.entries is entries and known.references.hold():
            known.steps += 1
            return known.graph
        refused, asked = self._refusals.get(training, (None, 0))
        asked = asked + 1 if refused is entries else 1
        self._refusals[training] = entries, asked
        if self._changes >= _MOST_CHANGES or asked not in _READ_AT:
            return None
        if known is not None and known.entries is entries:
            self._changes += known.steps < FEW_STEPS
        try:
            known = self._known[training] = WrittenGraph(model, entries, training)
        except NotStraight:
            self._known.pop(training, None)
            return None
        self._refusals.pop(training)
        return known.graph
