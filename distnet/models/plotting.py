"""A model's layers as a picture: plot_model and model_to_dot."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distnet.comm import world
from distnet.errors import ArgumentError, MissingPackageError, NotBuiltError
from distnet.layers import InputLayer, Layer
from distnet.layers.symbolic import Call, KerasTensor
from distnet.models import layer_range as layer_ranges
from distnet.models.model import Model
from distnet.models.tracing import Trace
from distnet.paths import checked_path, written
from distnet.registry import to_json

if TYPE_CHECKING:
    import pydot

_DIRECTIONS = ("TB", "BT", "LR", "RL")


@dataclass(frozen=True)
class _Style:
    """What the boxes of layers say."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 96,
    subgraph: bool = False,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "spline",
) -> pydot.Dot:
    """The graph of a model's layers in Graphviz's language; ``.create(prog="dot", format="svg")`` draws it.

    Args:
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what the boxes say.
        rankdir: ``"TB"`` from top to bottom, ``"LR"`` from left to right.
        expand_nested: draw the layers of models within the model.
        dpi: dots per inch.
        subgraph: give a ``pydot.Cluster`` for a picture of your own.
        layer_range: first and last layer to draw: names, or regular expressions of names.
        splines: how lines run: ``"spline"``, ``"curved"``, ``"polyline"``, ``"line"`` or ``"ortho"``, Keras's
            default, at which some versions of Graphviz fail.

    Raises:
        MissingPackageError: pydot is not installed; Graphviz is needed only to draw.
        NotBuiltError: the model's input shape is not known yet.
        ArgumentError: no model, an unknown direction, or a range that names no layers.

    Source: ``keras.utils.model_to_dot``; ``layer_range``: Keras 2.
    """
    if find_spec("pydot") is None:
        raise MissingPackageError("model_to_dot: needs pydot. Install it: pip install 'distnet[plot]'.")
    if not isinstance(model, Model):
        raise ArgumentError(f"model_to_dot: expected a model, received {model!r:.100}.")
    if not model.built:
        raise NotBuiltError(
            f"{model.name}: a picture needs the input shape. Give it to the first layer, or call build()."
        )
    if rankdir not in _DIRECTIONS:
        raise ArgumentError(f"model_to_dot: expected rankdir to be one of {_DIRECTIONS}, received {rankdir!r}.")
    import pydot

    from distnet.models.picture import Picture

    if subgraph:
        picture: pydot.Dot = _cluster(pydot, model, "cluster_model")
    else:
        picture = Picture(rankdir=rankdir, dpi=str(dpi), splines=splines, ranksep="0.4", nodesep="0.4")
    style = _Style(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    drawing = _Drawing(pydot, style, expand_nested)
    drawing.draw(model, picture, "layer", layer_range)
    for edge in dict.fromkeys(drawing.edges):
        picture.add_edge(pydot.Edge(*edge, penwidth="1.5", arrowsize="0.8"))
    return picture


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    layer_range: Sequence[str] | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "spline",
) -> Any:
    """Draw a model's layers into a file; rank 0 writes it. The arguments are those of ``model_to_dot``.

    Args:
        to_file: its ending says the format: png, svg, pdf ...; png without one.

    Returns:
        In IPython the picture, which a notebook shows; else None.

    Raises:
        MissingPackageError: pydot or Graphviz is not installed; the message says how to install it.
        ArgumentError: no model, or no name of a file.
        CheckpointError: the file cannot be written.

    Source: ``keras.utils.plot_model``.
    """
    path = Path(checked_path("plot_model: to_file", to_file))
    picture = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, layer_range,
        show_layer_activations, show_trainable, splines,
    )  # fmt: skip
    kind = path.suffix[1:].lower() or "png"
    if world().rank == 0:
        content: Any = picture.create(prog="dot", format=kind)
        with written("plot_model", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if "IPython" in sys.modules and kind in ("png", "jpg", "jpeg", "svg"):
            shown = import_module("IPython.display")
            return shown.SVG(content) if kind == "svg" else shown.Image(content)
    return None


@dataclass
class _Drawing:
    """Draws models, those within others as clusters, and gathers the lines between all layers.

    Args:
        pydot: the package.
        expands: whether nested models are drawn layer by layer.
    """

    pydot: Any
    style: _Style
    expands: bool
    edges: list[tuple[str, str]] = field(default_factory=list)

    def draw(self, model: Model, picture: Any, prefix: str, layer_range: Sequence[str] | None) -> _Ends:
        """Add a model's layers to ``picture``; the nodes are called by ``prefix`` and a number."""
        trace = Trace(model.name, model.inputs, model.outputs)
        ends: dict[Layer, _Ends] = {}
        for i in layer_ranges.numbers(model.name, [layer.name for layer in trace.layers], layer_range):
            layer, node = trace.layers[i], f"{prefix}_{i}"
            if self.expands and isinstance(layer, Model):
                cluster = _cluster(self.pydot, layer, f"cluster_{node}")
                ends[layer] = self.draw(layer, cluster, node, None)
                picture.add_subgraph(cluster)
            else:
                calls = [call for call in trace.calls if call.layer is layer]
                label = _label(layer, calls or [layer.calls[0]], self.style)
                picture.add_node(self.pydot.Node(node, label=label, shape="plain", fontname="Helvetica"))
                ends[layer] = _Ends(node, [], [])
        for call in trace.calls:
            for i, tensor in enumerate(call.inputs):
                if call.layer in ends and tensor.call.layer in ends:
                    self.edges.append((ends[tensor.call.layer].output(tensor.index), ends[call.layer].input(i)))
        return _Ends(
            "",
            [ends[t.call.layer].input(0) for t in trace.inputs if t.call.layer in ends],
            [ends[t.call.layer].output(t.index) for t in trace.outputs if t.call.layer in ends],
        )


@dataclass(frozen=True)
class _Ends:
    """Where lines to a layer end and begin: at its own node, or at nodes of the layers within."""

    node: str
    inputs: list[str]
    outputs: list[str]

    def input(self, number: int) -> str:
        return self.node or self.inputs[number]

    def output(self, number: int) -> str:
        return self.node or self.outputs[number]


def _cluster(pydot: Any, model: Model, name: str) -> Any:
    options = {"style": "dashed", "color": "#555555", "fontname": "Helvetica", "labeljust": "l"}
    return pydot.Cluster(name, label=f"<{escape(model.name)}>", **options)


def _label(layer: Layer, calls: Sequence[Call], style: _Style) -> str:
    """A layer's box, as a table in Graphviz's HTML."""
    kind = escape(_class_name(layer))
    title = f"<b>{escape(layer.name)}</b> ({kind})" if style.names else f"<b>{kind}</b>"
    cells = list(_cells(layer, calls, style))
    span = f'colspan="{max(len(cells), 1)}"'
    rows = [f'<tr><td {span} bgcolor="#222222"><font color="white">{title}</font></td></tr>']
    activation = getattr(layer, "activation", None)
    if style.activations and activation is not None:
        described = to_json(activation)
        name = escape(described if isinstance(described, str) else type(activation).__name__)
        rows.append(f'<tr><td {span} bgcolor="white">Activation: <b>{name}</b></td></tr>')
    if cells:
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="7">{"".join(rows)}</table>>'


def _cells(layer: Layer, calls: Sequence[Call], style: _Style) -> Iterator[str]:
    if style.shapes:
        if not isinstance(layer, InputLayer):
            yield _cell("Input shape", _common(_shapes(call.inputs) for call in calls))
        yield _cell("Output shape", _common(_shapes(call.outputs) for call in calls))
    if style.dtype:
        yield _cell("Output dtype", calls[0].outputs[0].dtype)
    if style.trainable and layer.weights:
        color, word = ("#2e7d32", "Trainable") if layer.trainable else ("#b23b3b", "Non-trainable")
        yield f'<td bgcolor="{color}"><font color="white"><b>{word}</b></font></td>'


def _cell(what: str, value: str) -> str:
    return f'<td bgcolor="white">{what}: <b>{escape(value)}</b></td>'


def _shapes(tensors: Sequence[KerasTensor]) -> str:
    shapes = [str(tuple(tensor.shape)) for tensor in tensors]
    return shapes[0] if len(shapes) == 1 else f"[{', '.join(shapes)}]"


def _common(shapes: Iterator[str]) -> str:
    """The shape in all calls of a layer, or that there are several."""
    different = set(shapes)
    return different.pop() if len(different) == 1 else "several"


def _class_name(layer: Layer) -> str:
    """With the class within, where the layer wraps another."""
    within = getattr(layer, "layer", None)
    return f"{type(layer).__name__}({type(within).__name__})" if isinstance(within, Layer) else type(layer).__name__
