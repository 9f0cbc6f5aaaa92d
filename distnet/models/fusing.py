"""Calls that do others' work: batch normalization that of an Add and a ReLU behind it, pools and dropout a ReLU's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from distnet.activations import relu
from distnet.layers.activation import bias_activation
from distnet.layers.engine.base import Layer
from distnet.layers.engine.channels import Channelled
from distnet.layers.engine.context import ForwardContext
from distnet.layers.engine.left_work import LeftWork
from distnet.layers.merge import Add
from distnet.models.graph_tape import Tape
from distnet.models.node import Behind, Node
from distnet.types import Array


def behind(nodes: Sequence[Node], outputs: Sequence[int], trained: Collection[int], node: Node) -> Behind | None:
    """What the node's layer can do besides its own work; None if there is nothing.

    Args:
        nodes, outputs: of the graph.
        trained: the tensors that a variable being trained has a part in; the gradient of one that is added comes from
            the call that adds it.
    """
    layer, made = node.layer, node.outputs[0]
    can_leave = layer.leaves_activations and not _is_channels_first(layer)
    if not (layer.takes_activations or can_leave) or not is_built_in(layer) or layer.activity_regularizer:
        return None
    number = _only_reader(nodes, outputs, made)
    if number is None:
        return None
    reader = nodes[number]
    if can_leave:
        takes = reader.layer.takes_left and is_built_in(reader.layer) and not _is_channels_first(reader.layer)
        return Behind(None, taker=number) if takes and _is_plain(reader) else None
    if reader.inputs == (made,):
        return Behind(number) if _is_activation(reader) else None
    if type(reader.layer) is not Add or not _is_plain(reader) or made not in trained:
        return None
    if len(reader.inputs) != 2 or reader.inputs[0] == reader.inputs[1]:
        return None
    place = reader.inputs.index(made)
    last = _only_reader(nodes, outputs, reader.outputs[0])
    is_activated = last is not None and nodes[last].inputs == reader.outputs and _is_activation(nodes[last])
    return Behind(last if is_activated else None, number, place, reader.inputs[1 - place])


def hand_over(
    known: Behind, nodes: Sequence[Node], x: Any, tensors: Mapping[int, Array], number: int, tape: Tape,
    ctx: ForwardContext,
) -> None:  # fmt: skip
    """Let the call of node ``number`` on ``x`` do what is behind it, as far as that is possible now.

    Args:
        tensors: those that have been made so far.
    """
    activation = known.activation
    if known.taker is not None:
        layer: Any = nodes[number].layer
        if bias_activation.fused_name(layer.activation) == "relu":
            ctx.is_left = True
            tape.left[known.taker] = LeftWork(layer.bias, layer.activation)
        return
    if known.add is not None:
        other = None if known.other is None else tensors.get(known.other)
        are_alike = other is not None and (other.shape, other.dtype) == (x.shape, x.dtype)
        if not are_alike or nodes[known.add].layer.activity_regularizer is not None:
            return
        ctx.plus = other
        tape.done[known.add] = known.place
        tape.added.add(number)
    if activation is not None and _is_relu(nodes[activation].layer):
        tape.done[activation] = 0
        ctx.then = "relu"


def is_built_in(layer: Layer) -> bool:
    """Whether the layer's class is no user's."""
    return type(layer).__module__.startswith("distnet.")


def _is_channels_first(layer: Layer) -> bool:
    return isinstance(layer, Channelled) and layer.is_channels_first


def _only_reader(nodes: Sequence[Node], outputs: Sequence[int], tensor: int) -> int | None:
    """The number of the node that alone reads a tensor; None if there are others, or the caller gets it."""
    readers = [i for i, node in enumerate(nodes) if tensor in node.inputs]
    return readers[0] if len(readers) == 1 and tensor not in outputs else None


def _is_plain(node: Node) -> bool:
    return node.options.keys() <= {"training"}


def _is_activation(node: Node) -> bool:
    return _is_plain(node) and is_built_in(node.layer) and hasattr(node.layer, "elementary")


def _is_relu(layer: Layer) -> bool:
    return layer.activity_regularizer is None and getattr(layer, "elementary", None) == relu
