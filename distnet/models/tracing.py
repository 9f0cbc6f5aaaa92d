"""Traces a model from its outputs to its inputs: its calls, in Keras's order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from distnet.errors import ArgumentError
from distnet.layers import Input, InputLayer, Layer
from distnet.layers.engine.base import Call, KerasTensor
from distnet.layers.engine.structures import leaves, mapped
from distnet.layers.operations import Operation
from distnet.models.graph import Graph
from distnet.models.node import Node


class Trace:
    """The calls between some placeholders.

    Attributes:
        calls: in the order in which Keras makes them, the farthest from the outputs first; without the entries'. The
            state of a layer that is called several times depends on it.
        layers: in Keras's order: the farthest from the outputs first, then as they are found from the
            outputs. Weights are saved in this order.
        is_chain: whether each call takes the one before it and nothing else.

    Args:
        name: of the model, for messages.
        inputs: the placeholders that the caller provides, each made by ``Input``.
        outputs: the placeholders that the caller gets.

    Raises:
        ArgumentError: an output depends on an ``Input`` that is not among the inputs, or on itself; or
            two layers have one name.

    Source: ``keras.src.ops.function.map_graph``.
    """

    def __init__(self, name: str, inputs: Sequence[KerasTensor], outputs: Sequence[KerasTensor]) -> None:
        self.inputs, self.outputs = list(inputs), list(outputs)
        searched, discovered = _search(name, self.outputs)
        _check_entries(name, searched, self.inputs)
        of_calls, depths = _depths(searched)
        self.calls = sorted((call for call in of_calls if call.inputs), key=lambda call: -of_calls[call])
        unread = {t.call.layer: 0 for t in inputs if t.call.layer not in depths}
        self.layers: list[Layer] = sorted(
            {**depths, **unread}, key=lambda layer: (-depths.get(layer, 0), discovered.get(layer, -1))
        )
        _check_names(name, self.layers)
        at_depth = Counter(depths[call.layer] for call in self.calls)
        self.is_chain = all(n == 1 for n in at_depth.values()) and all(len(c.inputs) == 1 for c in self.calls)

    def numbered_calls(self) -> list[Call]:
        """The calls, those of each layer in the program's order, as files and pictures list them."""
        return sorted(self.calls, key=lambda call: call.number)

    def graph(self) -> Graph:
        """The calls as a graph of numbered tensors."""
        graph = graph_of(self.inputs, self.calls, self.outputs)
        read = [
            (t, call.layer.name) for call in self.calls if not isinstance(call.layer, Operation) for t in call.inputs
        ]
        made = [(t, "the model's output") for t in self.outputs]
        graph.without_batch = next((f"{t!r}, read by {name}" for t, name in (*read, *made) if not t.has_rows), None)
        return graph


def graph_of(
    inputs: Sequence[KerasTensor], calls: Sequence[Call], outputs: Sequence[KerasTensor], **options: Any
) -> Graph:
    """Calls as a graph of numbered tensors.

    Args:
        inputs: the placeholders that the caller provides.
        calls: each behind those that make its inputs.
        outputs: the placeholders that the caller gets.
        options: of the graph.
    """
    tensors = [*inputs, *(t for call in calls for t in call.outputs)]
    numbers = {id(tensor): i for i, tensor in enumerate(tensors)}
    nodes = [
        Node(
            call.layer,
            tuple(numbers[id(t)] for t in call.inputs),
            tuple(numbers[id(t)] for t in call.outputs),
            call.options,
        )
        for call in calls
    ]
    return Graph(nodes, range(len(inputs)), [numbers[id(t)] for t in outputs], **options)


def between(name: str, inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """Inputs and outputs of a model that may begin within another: layers are called again on new entries there.

    Raises:
        ArgumentError: a cycle.

    Source: ``keras.src.models.functional.clone_graph_nodes``.
    """
    if all(isinstance(tensor.call.layer, InputLayer) for tensor in leaves(inputs)):
        return inputs, outputs
    new: dict[KerasTensor, KerasTensor] = {}
    for tensor in leaves(inputs):
        is_entry = isinstance(tensor.call.layer, InputLayer)
        new[tensor] = tensor if is_entry else Input(batch_shape=tensor.shape, dtype=tensor.dtype)
    given = frozenset(new)

    def renewed(structure: Any) -> Any:
        return mapped(lambda leaf: new.get(leaf, leaf) if isinstance(leaf, KerasTensor) else leaf, structure)

    for call in _search(name, list(leaves(outputs)), given)[0]:
        if any(new.get(tensor, tensor) is not tensor for tensor in call.inputs):
            call.layer(*renewed(call.args), **renewed(call.kwargs))
            again = call.layer.calls[-1].outputs
            new.update((old, made) for old, made in zip(call.outputs, again, strict=True) if old not in given)
    return renewed(inputs), renewed(outputs)


def _search(
    name: str, outputs: Sequence[KerasTensor], given: Collection[KerasTensor] = ()
) -> tuple[list[Call], dict[Layer, int]]:
    """Depth-first search from the outputs: the calls, inputs first, and when each layer was found.

    Args:
        given: tensors behind which the search does not go.
    """
    finished: dict[Call, None] = {}
    under_way: set[Call] = set()
    discovered: dict[Layer, int] = {}
    for output in outputs:
        stack = [(output.call, False)] if output not in given else []
        while stack:
            call, is_done = stack.pop()
            if is_done:
                under_way.discard(call)
                finished[call] = None
            elif call in under_way:
                raise ArgumentError(f"{name}: the graph of its layers has a cycle through {call.layer.name}.")
            elif call not in finished:
                under_way.add(call)
                discovered.setdefault(call.layer, len(discovered))
                stack.append((call, True))
                before = [t.call for t in reversed(call.inputs) if t not in given]
                stack.extend((earlier, False) for earlier in before if earlier not in finished)
    return list(finished), discovered


def _depths(calls: Sequence[Call]) -> tuple[dict[Call, int], dict[Layer, int]]:
    """The longest way from each call and from each layer to an output, in calls, in the order of Keras's search."""
    of_calls: dict[Call, int] = {}
    of_layers: dict[Layer, int] = {}
    for call in reversed(calls):
        depth = max(of_calls.setdefault(call, 0), of_layers.get(call.layer, 0))
        of_calls[call] = of_layers[call.layer] = depth
        for tensor in call.inputs:
            of_calls[tensor.call] = max(depth + 1, of_calls.get(tensor.call, 0))
    return of_calls, of_layers


def _check_entries(name: str, calls: Sequence[Call], inputs: Sequence[KerasTensor]) -> None:
    for tensor in inputs:
        if not isinstance(tensor.call.layer, InputLayer):
            raise ArgumentError(
                f"{name}: the input {tensor.name} is the output of a layer. A model begins at Input(...): call the "
                "layers again on a new Input."
            )
    given = {id(tensor) for tensor in inputs}
    for call in calls:
        if not call.inputs and id(call.outputs[0]) not in given:
            raise ArgumentError(
                f"{name}: the graph is disconnected: its outputs depend on the input {call.layer.name!r}, which is not "
                f"among the model's inputs {[t.name for t in inputs]}."
            )


def _check_names(name: str, layers: Sequence[Layer]) -> None:
    for layer_name, uses in Counter(layer.name for layer in layers).items():
        if uses > 1:
            raise ArgumentError(f"{name}: the name {layer_name!r} is used by {uses} layers. Give each its own.")
