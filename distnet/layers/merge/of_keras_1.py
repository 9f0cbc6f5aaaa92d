"""Keras 1's ``Merge``: the outputs of several layers merged in a named mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from distnet.errors import ArgumentError
from distnet.layers.engine.base import LAYERS, Layer
from distnet.layers.merge.arithmetic import Add, Average, Multiply
from distnet.layers.merge.concatenation import Concatenate
from distnet.layers.merge.extremes import Maximum
from distnet.layers.merge.products import Dot

_MODES: dict[str, Callable[..., Layer]] = {
    **{"sum": Add, "mul": Multiply, "ave": Average, "max": Maximum},
    **{"concat": Concatenate, "dot": Dot},
}


def Merge(
    layers: Sequence[Any] | None = None,
    mode: object = "sum",
    concat_axis: int = -1,
    dot_axes: int | Sequence[int] = -1,
    output_shape: object = None,
    output_mask: object = None,
    arguments: object = None,
    node_indices: object = None,
    tensor_indices: object = None,
    name: str | None = None,
) -> Layer:
    """A layer that merges its inputs; with ``layers``, a model of all their inputs, to start a Sequential with.

    Args:
        layers: models whose outputs are merged.
        mode: ``"sum"``, ``"mul"``, ``"concat"``, ``"ave"``, ``"dot"`` or ``"max"``.
        concat_axis: axis to concatenate along.
        dot_axes: axes that are summed over.
        output_shape, output_mask, arguments, node_indices, tensor_indices: for functions as modes; ignored.

    Raises:
        ArgumentError: the mode is unknown, or one of ``layers`` is not a model with a known input shape.

    Source: ``keras.layers.Merge`` of Keras 1.
    """
    if not isinstance(mode, str) or mode not in _MODES:
        raise ArgumentError(
            f"Merge: expected a mode of {sorted(_MODES)}, received {mode!r:.100}. Use Dot(axes, normalize=True) for "
            "'cos', and a layer of your own for a function."
        )
    options_of: dict[str, dict[str, Any]] = {"concat": {"axis": concat_axis}, "dot": {"axes": dot_axes}}
    options = options_of.get(mode, {})
    layer = _MODES[mode](name=name, **options)
    if layers is None:
        return layer
    if len(layers) < 2 or not all(hasattr(branch, "inputs") and branch.built for branch in layers):
        raise ArgumentError(
            "Merge: expected two or more models whose first layers say their input shape, received "
            f"{[getattr(branch, 'name', branch) for branch in layers]}."
        )
    inputs = [tensor for branch in layers for tensor in branch.inputs]
    functional: Any = LAYERS.find("Functional")
    made: Layer = functional(inputs, layer([branch.outputs[0] for branch in layers]))
    return made
