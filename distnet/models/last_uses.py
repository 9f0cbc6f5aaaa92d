"""Which call of a model's backward pass is the last one to use a variable: then its gradient is whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from distnet.models.graph import Graph, has_graph
from distnet.variables import Variable


def last_uses(graph: Graph, path: tuple[int, ...] = ()) -> dict[tuple[int, ...], Sequence[Variable]]:
    """By the call of a layer, those trained variables that no call after it uses in the backward pass.

    Args:
        graph: of the model.
        path: of the call of that model.
    """
    last: dict[int, tuple[Variable, tuple[int, ...]]] = {}
    for call, variable in _uses(graph, path):
        last[id(variable)] = variable, call
    by_call: dict[tuple[int, ...], list[Variable]] = {}
    for variable, call in last.values():
        by_call.setdefault(call, []).append(variable)
    return {call: tuple(variables) for call, variables in by_call.items()}


def _uses(graph: Graph, path: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Variable]]:
    """The calls that use trained variables, in the order of the backward pass; each layer within is a call."""
    for number, node in reversed(list(zip(graph.numbers, graph.nodes, strict=True))):
        call, within = (*path, number), set()
        if has_graph(node.layer):
            for inner, variable in _uses(node.layer.graph, call):
                within.add(id(variable))
                yield inner, variable
        yield from ((call, v) for v in node.layer.variables if v.is_trained and id(v) not in within)
