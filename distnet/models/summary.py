"""The table that ``summary`` prints: Keras's classic one, 65 columns wide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from distnet.layers import Layer
from distnet.types import Shape

_WIDTH = 65
_COLUMN_ENDS = (0.45, 0.85, 1.0)


def summary_lines(
    name: str,
    rows: Iterable[tuple[Layer, Shape | None]],
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
) -> list[str]:
    """The table's lines.

    Args:
        name: of the model.
        rows: layers with their output shapes; None where it is not known yet.
        line_length: columns in all; 65 by default.
        positions: where the columns end, as fractions of the line or as columns.

    Source: ``keras.Model.summary`` of Keras 2.3 to 2.7.
    """
    width = line_length or _WIDTH
    ends = [int(width * p) if p <= 1 else int(p) for p in positions or _COLUMN_ENDS]
    rule, double_rule = "_" * width, "=" * width
    layers: list[Layer] = []
    body = []
    for layer, shape in rows:
        layers.append(layer)
        count = str(layer.count_params()) if layer.built else "?"
        body += [_row((f"{layer.name} ({type(layer).__name__})", _shape_text(shape), count), ends), rule]
    header = _row(("Layer (type)", "Output Shape", "Param #"), ends)
    return [f'Model: "{name}"', rule, header, double_rule, *body[:-1], double_rule, *_totals(layers), rule]


def _totals(layers: Sequence[Layer]) -> list[str]:
    variables = [v for layer in dict.fromkeys(layers) for v in layer.variables]
    trainable = sum(v.size for layer in dict.fromkeys(layers) for v in layer.trainable_weights)
    total = sum(v.size for v in variables)
    return [
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
    ]


def _row(fields: Sequence[str], ends: Sequence[int]) -> str:
    line = ""
    for text, end in zip(fields, ends, strict=False):
        line = f"{line[:-1]} {text}" if line else text
        line = line[:end].ljust(end)
    return line


def _shape_text(shape: Shape | None) -> str:
    return "?" if shape is None else str(tuple(shape))
