"""What a picture of a model shows: boxes of layers, the lines between them, and which are parts of a nested model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from distnet.layers import InputLayer, Layer
from distnet.layers.engine.base import Call, KerasTensor
from distnet.models import layer_range as layer_ranges
from distnet.models.model import Model
from distnet.models.tracing import Trace
from distnet.registry import to_json

DARK, LIGHT, TRAINED, FROZEN = "#222222", "#ffffff", "#2e7d32", "#b23b3b"


@dataclass(frozen=True)
class Style:
    """What the boxes of layers say."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool


@dataclass(frozen=True)
class BoxCell:
    """A part of a box: ``what: value``, the value in bold; or the value alone, in white on a color."""

    what: str
    value: str
    color: str = LIGHT

    @property
    def text(self) -> str:
        """What it says."""
        return f"{self.what}: {self.value}" if self.what else self.value


@dataclass(frozen=True)
class Box:
    """A layer: its title, the name in bold, and rows of cells below."""

    node: str
    name: str
    kind: str
    rows: tuple[tuple[BoxCell, ...], ...]

    @property
    def title(self) -> str:
        """Name and class, or the class alone."""
        return f"{self.name} ({self.kind})" if self.name else self.kind


@dataclass
class Diagram:
    """A model: its own boxes, the nested models that are drawn layer by layer, and the lines between all boxes."""

    name: str
    node: str
    boxes: list[Box] = field(default_factory=list)
    parts: list[Diagram] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)

    def all_boxes(self) -> list[Box]:
        """The boxes, and those of nested models where they stand, in the order of the layers."""
        own = [*self.boxes, *(box for part in self.parts for box in part.all_boxes())]
        return sorted(own, key=lambda box: number_of(box.node))


def number_of(node: str) -> list[int]:
    """The place of a box, or of a nested model, among the layers, and of these among their model's.

    >>> number_of("layer_2_0")
    [2, 0]
    """
    return [int(number) for number in node.split("_")[1:]]


@dataclass(frozen=True)
class _Ends:
    """Where lines to a layer end and begin: at its own box, or at boxes of the layers within."""

    node: str
    inputs: list[str]
    outputs: list[str]

    def input(self, number: int) -> str:
        return self.node or self.inputs[number]

    def output(self, number: int) -> str:
        return self.node or self.outputs[number]


def scheme(model: Model, style: Style, expands: bool, layer_range: Sequence[str] | None) -> Diagram:
    """What a picture of a model shows.

    Args:
        expands: whether nested models are drawn layer by layer.
        layer_range: the first and the last layer to draw.

    Raises:
        ArgumentError: a range that names no layers.
    """
    whole = Diagram(model.name, "layer")
    _Drawing(style, expands, whole.lines).draw(model, whole, layer_range)
    whole.lines[:] = dict.fromkeys(whole.lines)
    return whole


@dataclass
class _Drawing:
    """Gathers boxes into schemes, and the lines between all of them."""

    style: Style
    expands: bool
    lines: list[tuple[str, str]]

    def draw(self, model: Model, into: Diagram, layer_range: Sequence[str] | None) -> _Ends:
        """Add a model's layers; the boxes are called by the scheme's node and a number."""
        trace = Trace(model.name, model.inputs, model.outputs)
        ends: dict[Layer, _Ends] = {}
        for i in layer_ranges.numbers(model.name, [layer.name for layer in trace.layers], layer_range):
            layer, node = trace.layers[i], f"{into.node}_{i}"
            if self.expands and isinstance(layer, Model):
                part = Diagram(layer.name, node)
                ends[layer] = self.draw(layer, part, None)
                into.parts.append(part)
            else:
                calls = [call for call in trace.numbered_calls() if call.layer is layer]
                into.boxes.append(_box(node, layer, calls or [layer.calls[0]], self.style))
                ends[layer] = _Ends(node, [], [])
        for call in trace.calls:
            for i, tensor in enumerate(call.inputs):
                if call.layer in ends and tensor.call.layer in ends:
                    self.lines.append((ends[tensor.call.layer].output(tensor.index), ends[call.layer].input(i)))
        return _Ends(
            "",
            [ends[t.call.layer].input(0) for t in trace.inputs if t.call.layer in ends],
            [ends[t.call.layer].output(t.index) for t in trace.outputs if t.call.layer in ends],
        )


def _box(node: str, layer: Layer, calls: Sequence[Call], style: Style) -> Box:
    rows: list[tuple[BoxCell, ...]] = []
    activation = getattr(layer, "activation", None)
    if style.activations and activation is not None:
        described = to_json(activation)
        name = described if isinstance(described, str) else type(activation).__name__
        rows.append((BoxCell("Activation", name),))
    if cells := tuple(_cells(layer, calls, style)):
        rows.append(cells)
    return Box(node, layer.name if style.names else "", _class_name(layer), tuple(rows))


def _cells(layer: Layer, calls: Sequence[Call], style: Style) -> Iterator[BoxCell]:
    if style.shapes:
        if not isinstance(layer, InputLayer):
            yield BoxCell("Input shape", _common(_shapes(call.inputs) for call in calls))
        yield BoxCell("Output shape", _common(_shapes(call.outputs) for call in calls))
    if style.dtype:
        yield BoxCell("Output dtype", calls[0].outputs[0].dtype)
    if style.trainable and layer.weights:
        yield BoxCell("", "Trainable", TRAINED) if layer.trainable else BoxCell("", "Non-trainable", FROZEN)


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
