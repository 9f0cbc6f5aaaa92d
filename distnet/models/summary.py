"""The table that ``summary`` prints: Keras 2's, 65 columns wide, 98 with the column "Connected to"."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol, runtime_checkable

from distnet.arguments import check_integer, is_number
from distnet.errors import ArgumentError
from distnet.layers import InputLayer, Layer
from distnet.models import layer_range as layer_ranges
from distnet.variables import Variable

_CHAIN, _CHAIN_ENDS = 65, (0.45, 0.85, 1.0)
_GRAPH, _GRAPH_ENDS = 98, (0.33, 0.55, 0.67, 1.0)
_NARROW_GRAPH_ENDS = (0.33, 0.60, 0.73, 1.0)
"""In a terminal of 80 columns a shape such as [(None, 28, 28, 32)] still has its place."""
_TRAINABLE = 11


@runtime_checkable
class Summarized(Protocol):
    """A model, as its table sees it."""

    name: str

    @property
    def variables(self) -> list[Variable]: ...

    @property
    def trainable_weights(self) -> list[Variable]: ...

    def summary_rows(self) -> list[tuple[Layer, Any]]: ...

    def connections(self) -> list[list[str]] | None: ...


@dataclass(frozen=True)
class _Columns:
    """Where the columns end, and which there are."""

    ends: tuple[int, ...]
    has_connections: bool
    has_trainable: bool

    @property
    def width(self) -> int:
        return self.ends[-1]

    def rows(self, cells: Sequence[Sequence[str]], depth: int = 0) -> Iterator[str]:
        """The lines of one row; a text that is too long for its column goes on in the next line."""
        starts = (0, *self.ends)
        wrapped: list[list[str]] = []
        for i, (texts, end) in enumerate(zip(cells, self.ends, strict=True)):
            gap = depth + (depth > 0) if i == 0 else 0
            room = end - starts[i] - gap - (2 if i + 1 < len(self.ends) else depth)
            wrapped.append([line for text in texts for line in _wrapped(text, max(room, 1))])
        for fields in zip_longest(*wrapped, fillvalue=""):
            line = "|" * depth + " " * (depth > 0)
            for i, (text, end) in enumerate(zip(fields, self.ends, strict=True)):
                line = (f"{line[:-1]} {text}" if i else line + text)[:end].ljust(end)
            yield line[: self.width - depth] + "|" * depth


def summary_lines(
    model: Summarized,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    fits_terminal: bool = False,
) -> list[str]:
    """The table's lines.

    Args:
        line_length: width in columns; by default 65, 98 for a graph, and 11 more for ``show_trainable``.
        positions: where the columns end, as fractions of the line or as columns; that of ``show_trainable`` may be
            left out, what is more than the columns has no effect.
        expand_nested: also show the layers of models within the model.
        show_trainable: add a column that says Y or N.
        layer_range: first and last layer to show: names, or regular expressions of names.
        fits_terminal: make a table for a graph no wider than the terminal.

    Raises:
        ArgumentError: the positions are not numbers or too few, or the range has no layers.

    Source: ``keras.Model.summary`` of Keras 2.
    """
    if line_length is not None:
        check_integer("summary: line_length", line_length, 0)
    if positions is not None and not (isinstance(positions, list | tuple) and all(map(is_number, positions))):
        raise ArgumentError(f"summary: positions: expected a list of numbers, received {positions!r:.100}.")
    columns = _columns(model.connections() is not None, line_length, positions, show_trainable, fits_terminal)
    titles = ["Layer (type)", "Output Shape", "Param #"]
    titles += ["Connected to"] * columns.has_connections + ["Trainable"] * columns.has_trainable
    lines = [f'Model: "{model.name}"', "_" * columns.width, *columns.rows([[title] for title in titles])]
    lines.append("=" * columns.width)
    lines += _body(model, columns, expand_nested, layer_range, 0)
    return [*lines, "=" * columns.width, *_totals(model), "_" * columns.width]


def _columns(
    is_graph: bool,
    line_length: int | None,
    positions: Sequence[float] | None,
    show_trainable: bool,
    fits_terminal: bool,
) -> _Columns:
    ends: Sequence[float] = _GRAPH_ENDS if is_graph else _CHAIN_ENDS
    width = line_length or (_GRAPH if is_graph else _CHAIN)
    given = len(positions or ends) - len(ends)
    if given < 0:
        raise ArgumentError(f"summary: positions: expected one for each column, received {positions!r:.100}.")
    extra = _TRAINABLE if show_trainable and not given else 0
    if fits_terminal and line_length is None and is_graph and sys.stdout.isatty():
        width = max(min(width, shutil.get_terminal_size().columns - extra), _CHAIN)
        ends = ends if width == _GRAPH else _NARROW_GRAPH_ENDS
    # Further positions have no effect, as in Keras: programs pass a chain the positions of a graph.
    used = (positions or ends)[: len(ends) + show_trainable]
    placed = [int(width * end) if end <= 1 else int(end) for end in used]
    if extra:
        placed.append(placed[-1] + extra)
    return _Columns(tuple(placed), is_graph, show_trainable)


def _body(
    model: Summarized, columns: _Columns, expand_nested: bool, layer_range: Sequence[str] | None, depth: int
) -> list[str]:
    """The rows of a model's layers, ruled between them."""
    rows, sources = model.summary_rows(), model.connections()
    rule = "|" * depth + "_" * (columns.width - 2 * depth) + "|" * depth
    lines: list[str] = []
    for i in layer_ranges.numbers(model.name, [layer.name for layer, _ in rows], layer_range):
        layer, shape = rows[i]
        cells = [[f"{layer.name} ({type(layer).__name__})"], _shape_lines(shape), [_count(layer)]]
        if columns.has_connections:
            cells.append(sources[i] if sources else [])
        if columns.has_trainable:
            cells.append(["Y" if layer.trainable else "N"])
        lines += [rule] if lines else []
        lines += columns.rows(cells, depth)
        if expand_nested and isinstance(layer, Summarized):
            bars = "|" * (depth + 1)
            border = bars + "¯" * (columns.width - 2 * depth - 2) + bars
            lines += [border, *_body(layer, columns, True, None, depth + 1), border]
    return lines


def _totals(model: Summarized) -> list[str]:
    total, trainable = (
        sum(size for size in {id(v): v.size for v in variables}.values())
        for variables in (model.variables, model.trainable_weights)
    )
    return [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
    ]


def _count(layer: Layer) -> str:
    if isinstance(layer, InputLayer):
        return "0"
    if not layer.built:
        return "unbuilt" if "build" in _overridden(layer) else "0"
    return str(layer.count_params())


def _overridden(layer: Layer) -> set[str]:
    """The methods of ``Layer`` that a layer's classes override."""
    kinds = type(layer).__mro__
    return {name for kind in kinds[: kinds.index(Layer)] for name in vars(kind)}


def _wrapped(text: str, room: int) -> Iterator[str]:
    """``text`` in lines of at most ``room`` characters, broken at spaces where it has some."""
    while len(text) > room:
        space = text.rfind(" ", 1, room + 1)
        cut = space if space > 0 else room
        yield text[:cut]
        text = text[cut:].lstrip()
    yield text


def _shape_lines(shape: Any) -> list[str]:
    """A shape; several, as of inputs or of a layer with several outputs, in brackets and each in a line of its own."""
    if not isinstance(shape, list):
        return ["?" if shape is None else str(tuple(shape))]
    texts = [str(tuple(s)) for s in shape]
    texts[0] = f"[{texts[0]}"
    return [*(f"{text}," for text in texts[:-1]), f"{texts[-1]}]"]
