"""A model's layers as a picture: plot_model and model_to_dot."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distnet.comm import world
from distnet.errors import ArgumentError, MissingPackageError, NotBuiltError
from distnet.models.drawing import drawn
from distnet.models.model import Model
from distnet.models.scheme import DARK, LIGHT, Box, BoxCell, Diagram, Style, scheme
from distnet.paths import checked_path, written

if TYPE_CHECKING:
    import pydot

_DIRECTIONS = ("TB", "BT", "LR", "RL")
_OWN = ("png", "svg")
"""The formats that are drawn without Graphviz."""


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
        subgraph: return a ``pydot.Cluster`` for a picture of your own.
        layer_range: first and last layer to draw: names, or regular expressions of names.
        splines: how lines run: ``"spline"``, ``"curved"``, ``"polyline"``, ``"line"`` or ``"ortho"``, Keras's
            default, at which some versions of Graphviz fail.

    Raises:
        MissingPackageError: pydot is not installed; Graphviz is needed only to draw.
        NotBuiltError: the model's input shape is not known yet.
        ArgumentError: not a model, an unknown direction, or a range without layers.

    Source: ``keras.utils.model_to_dot``; ``layer_range``: Keras 2.
    """
    if find_spec("pydot") is None:
        raise MissingPackageError(
            "model_to_dot: needs pydot. Install it: pip install 'distnet[plot]', or draw the model with plot_model."
        )
    _check("model_to_dot", model, rankdir)
    import pydot

    from distnet.models.picture import Picture

    style = Style(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    shown = scheme(model, style, expand_nested, layer_range)
    if subgraph:
        picture: pydot.Dot = _cluster(pydot, shown, "cluster_model")
    else:
        options = {"rankdir": rankdir, "dpi": str(dpi), "splines": splines, "ranksep": "0.4", "nodesep": "0.4"}
        picture = Picture(lambda kind: drawn(shown, kind, rankdir, dpi), **options)
    _fill(pydot, picture, shown)
    for line in shown.lines:
        picture.add_edge(pydot.Edge(*line, penwidth="1.5", arrowsize="0.8"))
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
        to_file: the file; its extension names the format: png, svg, pdf ...; png by default. Without Graphviz, png and
            svg are drawn by distnet.

    Returns:
        The picture in IPython, which a notebook shows; else None.

    Raises:
        MissingPackageError: Pillow for png, or Graphviz for other formats than png and svg, is not installed.
        ArgumentError: not a model, or not a file name.
        CheckpointError: the file cannot be written.

    Source: ``keras.utils.plot_model``.
    """
    path = Path(checked_path("plot_model: to_file", to_file))
    _check("plot_model", model, rankdir)
    kind = path.suffix[1:].lower() or "png"
    style = Style(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable)
    if world().rank != 0:
        return None
    if kind in _OWN and (shutil.which("dot") is None or find_spec("pydot") is None):
        content: Any = drawn(scheme(model, style, expand_nested, layer_range), kind, rankdir, dpi)
    else:
        picture = model_to_dot(
            model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False, layer_range,
            show_layer_activations, show_trainable, splines,
        )  # fmt: skip
        content = picture.create(prog="dot", format=kind)
    with written("plot_model", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if "IPython" in sys.modules and kind in ("png", "jpg", "jpeg", "svg"):
        shown = import_module("IPython.display")
        return shown.SVG(content) if kind == "svg" else shown.Image(content)
    return None


def _check(where: str, model: Model, rankdir: str) -> None:
    if not isinstance(model, Model):
        raise ArgumentError(f"{where}: expected a model, received {model!r:.100}.")
    if not model.built:
        raise NotBuiltError(
            f"{model.name}: a picture needs the input shape. Give it to the first layer, or call build()."
        )
    if rankdir not in _DIRECTIONS:
        raise ArgumentError(f"{where}: expected rankdir to be one of {_DIRECTIONS}, received {rankdir!r}.")


def _fill(pydot: Any, picture: Any, shown: Diagram) -> None:
    """Add boxes to a picture, and nested models as clusters."""
    for box in shown.boxes:
        picture.add_node(pydot.Node(box.node, label=_label(box), shape="plain", fontname="Helvetica"))
    for part in shown.parts:
        cluster = _cluster(pydot, part, f"cluster_{part.node}")
        _fill(pydot, cluster, part)
        picture.add_subgraph(cluster)


def _cluster(pydot: Any, shown: Diagram, name: str) -> Any:
    options = {"style": "dashed", "color": "#555555", "fontname": "Helvetica", "labeljust": "l"}
    return pydot.Cluster(name, label=f"<{escape(shown.name)}>", **options)


def _label(box: Box) -> str:
    """A layer's box, as a table in Graphviz's HTML."""
    kind = escape(box.kind)
    title = f"<b>{escape(box.name)}</b> ({kind})" if box.name else f"<b>{kind}</b>"
    span = max((len(row) for row in box.rows), default=1)
    rows = [f'<tr><td colspan="{span}" bgcolor="{DARK}"><font color="white">{title}</font></td></tr>']
    for row in box.rows:
        wide = f'colspan="{span}" ' if len(row) < span else ""
        rows.append(f"<tr>{''.join(_cell(cell, wide) for cell in row)}</tr>")
    return f'<<table border="0" cellborder="1" cellspacing="0" cellpadding="7">{"".join(rows)}</table>>'


def _cell(cell: BoxCell, span: str) -> str:
    value = f"<b>{escape(cell.value)}</b>"
    if cell.color != LIGHT:
        return f'<td {span}bgcolor="{cell.color}"><font color="white">{value}</font></td>'
    return f'<td {span}bgcolor="white">{cell.what}: {value}</td>'


plot = plot_model
to_graph = model_to_dot
"""Keras 1's names, of ``keras.utils.visualize_util``."""
