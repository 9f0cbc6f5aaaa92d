"""A picture of a model as SVG or PNG, drawn without Graphviz."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from typing import Any, Protocol

from distnet.errors import MissingPackageError
from distnet.models.layout import LAYER_GAP, Placed, Point, Size, end_of, lay_out
from distnet.models.scheme import DARK, LIGHT, Box, BoxCell, Diagram, number_of

_FONT, _ROW, _PAD, _MARGIN, _FRAME = 14.0, 30.0, 8.0, 12.0, 12.0
_POINTS_PER_INCH = 72
_BLACK, _GREY = "#000000", "#555555"
_ARROW: tuple[Point, ...] = ((-4.0, -8.0), (0.0, 0.0), (4.0, -8.0))


class Canvas(Protocol):
    """The canvas of a picture."""

    def width_of(self, text: str, is_bold: bool) -> float:
        """The width of a text, in points."""

    def rectangle(self, at: Placed, fill: str | None, edge: str, is_dashed: bool = False) -> None:
        """Draw a rectangle."""

    def text(self, x: float, y: float, text: str, color: str, is_bold: bool) -> None:
        """Write a text whose middle line begins at (x, y)."""

    def line(self, points: Sequence[Point]) -> None:
        """Draw a line through points, with an arrow at its end."""


def drawn(scheme: Diagram, kind: str, direction: str, dpi: int) -> bytes:
    """A model's picture as a file of this kind, ``"svg"`` or ``"png"``.

    Args:
        direction: ``"TB"``, ``"BT"``, ``"LR"`` or ``"RL"``.
        dpi: pixels per inch of a PNG.
    """
    return svg(scheme, direction) if kind == "svg" else png(scheme, direction, dpi)


def svg(scheme: Diagram, direction: str) -> bytes:
    """A model's picture as an SVG file."""
    canvas = SvgCanvas()
    width, height = draw(scheme, direction, canvas)
    begin = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}pt" height="{height:.0f}pt" '
    begin += f'viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica, Arial, sans-serif" font-size="{_FONT}">'
    ground = f'<rect width="100%" height="100%" fill="{LIGHT}"/>'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', begin, ground, *canvas.parts, "</svg>\n"]).encode()


def png(scheme: Diagram, direction: str, dpi: int) -> bytes:
    """A model's picture as a PNG file.

    Raises:
        MissingPackageError: Pillow is not installed.
    """
    if find_spec("PIL") is None:
        raise MissingPackageError(
            "plot_model: PNG needs Pillow. Install it: pip install 'distnet[plot]', or write .svg."
        )
    canvas = PngCanvas(dpi / _POINTS_PER_INCH)
    size = draw(scheme, direction, canvas)
    return canvas.content(size)


def draw(scheme: Diagram, direction: str, canvas: Canvas) -> tuple[float, float]:
    """Draw frames of nested models, lines and boxes; the width and height of it all."""
    lines = [line for line in scheme.lines if line[0] != line[1]]
    picture = _arranged(scheme, lines, direction, canvas).moved(_MARGIN, _MARGIN)
    for frame, name in picture.frames:
        canvas.rectangle(frame, None, _GREY, is_dashed=True)
        canvas.text(frame.x + 4, frame.y + _FONT / 2 + 2, name, _GREY, False)
    for points in picture.lines:
        canvas.line(points)
    for box in scheme.all_boxes():
        _draw_box(box, picture.boxes[box.node], canvas)
    return picture.size[0] + 2 * _MARGIN, picture.size[1] + 2 * _MARGIN


@dataclass
class _Picture:
    """Boxes, lines, and frames around nested models, with what lies within these."""

    size: Size
    boxes: dict[str, Placed]
    lines: list[list[Point]]
    frames: list[tuple[Placed, str]]

    def moved(self, dx: float, dy: float) -> _Picture:
        """The same elsewhere."""
        boxes = {node: _moved(placed, dx, dy) for node, placed in self.boxes.items()}
        lines = [[(x + dx, y + dy) for x, y in points] for points in self.lines]
        return _Picture(self.size, boxes, lines, [(_moved(placed, dx, dy), name) for placed, name in self.frames])


def _arranged(scheme: Diagram, lines: Sequence[tuple[str, str]], direction: str, canvas: Canvas) -> _Picture:
    """A model laid out; each nested one is laid out first, and is a box of its own size here."""
    parts = {}
    for part in scheme.parts:
        within = {box.node for box in part.all_boxes()}
        inner = [line for line in lines if within.issuperset(line)]
        parts[part.node] = (part, _arranged(part, inner, direction, canvas), within)
    sizes = {box.node: _size(box, canvas) for box in scheme.boxes}
    for node, (part, inside, _) in parts.items():
        width = max(inside.size[0] + 2 * _FRAME, canvas.width_of(part.name, False) + 2 * _PAD)
        sizes[node] = (width, inside.size[1] + 2 * _FRAME + _FONT)
    owner = {node: node for node in sizes} | {box: node for node, (_, _, within) in parts.items() for box in within}
    own_lines = [line for line in lines if owner[line[0]] != owner[line[1]]]
    ordered = {node: sizes[node] for node in sorted(sizes, key=number_of)}
    layout = lay_out(ordered, [(owner[a], owner[b]) for a, b in own_lines], direction)
    picture, frames = _Picture(layout.size, dict(layout.boxes), [], []), {}
    for node, (part, inside, _) in parts.items():
        frames[node] = frame = picture.boxes.pop(node)
        moved = inside.moved(frame.x + _FRAME, frame.y + _FRAME + _FONT)
        picture.boxes.update(moved.boxes)
        picture.lines += moved.lines
        picture.frames += [(frame, part.name), *moved.frames]
    for (a, b), points in zip(own_lines, layout.lines, strict=True):
        before, behind = [], []
        if owner[a] != a:
            others = [picture.boxes[n] for n in parts[owner[a]][2]]
            before = _way_out(picture.boxes[a], others, frames[owner[a]], direction)
            points = points[1:] if len(before) > 1 else points
        if owner[b] != b:
            behind = [end_of(picture.boxes[b], direction, is_start=False)]
        picture.lines.append([*before, *points, *behind])
    return picture


def _way_out(box: Placed, within: Sequence[Placed], frame: Placed, direction: str) -> list[Point]:
    """From a box to the edge of the frame around it: straight, or around the boxes that are in the way."""
    x, y = end_of(box, direction, is_start=True)
    ahead = {"TB": lambda p: p.y > y, "LR": lambda p: p.x > x, "BT": lambda p: p.y < box.y, "RL": lambda p: p.x < box.x}
    if not any(ahead[direction](placed) for placed in within):
        return [(x, y)]
    edge_x, edge_y = end_of(frame, direction, is_start=True)
    step = LAYER_GAP / 2 * (1 if direction in ("TB", "LR") else -1)
    if direction in ("LR", "RL"):
        channel = frame.y + frame.height - _FRAME / 2
        return [(x, y), (x + step, channel), (edge_x, channel)]
    channel = frame.x + frame.width - _FRAME / 2
    return [(x, y), (channel, y + step), (channel, edge_y)]


def _moved(placed: Placed, dx: float, dy: float) -> Placed:
    return Placed(placed.x + dx, placed.y + dy, placed.width, placed.height)


def _rows(box: Box) -> list[tuple[BoxCell, ...]]:
    return [(BoxCell("", box.title, DARK),), *box.rows]


def _cell_width(cell: BoxCell, canvas: Canvas) -> float:
    before = canvas.width_of(f"{cell.what}: ", False) if cell.what else 0.0
    return before + canvas.width_of(cell.value, True) + 2 * _PAD


def _size(box: Box, canvas: Canvas) -> tuple[float, float]:
    rows = _rows(box)
    return max(sum(_cell_width(cell, canvas) for cell in row) for row in rows), _ROW * len(rows)


def _draw_box(box: Box, at: Placed, canvas: Canvas) -> None:
    for i, row in enumerate(_rows(box)):
        widths = [_cell_width(cell, canvas) for cell in row]
        spare = (at.width - sum(widths)) / len(row)
        x, y = at.x, at.y + i * _ROW
        for cell, width in zip(row, widths, strict=True):
            canvas.rectangle(Placed(x, y, width + spare, _ROW), cell.color, _BLACK)
            color = _BLACK if cell.color == LIGHT else LIGHT
            start = x + spare / 2 + _PAD
            if cell.what:
                canvas.text(start, y + _ROW / 2, f"{cell.what}: ", color, False)
                start += canvas.width_of(f"{cell.what}: ", False)
            canvas.text(start, y + _ROW / 2, cell.value, color, True)
            x += width + spare


class SvgCanvas:
    """Elements of an SVG file. Widths of texts are those that Helvetica has on average."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    def width_of(self, text: str, is_bold: bool) -> float:
        """The width of a text, in points."""
        narrow = sum(letter in " ,.:;()[]iljt'|!" for letter in text)
        wide = sum(letter.isupper() or letter in "mwMW_" for letter in text)
        return (0.56 * len(text) - 0.25 * narrow + 0.14 * wide) * _FONT * (1.06 if is_bold else 1.0)

    def rectangle(self, at: Placed, fill: str | None, edge: str, is_dashed: bool = False) -> None:
        """Draw a rectangle."""
        dashes = ' stroke-dasharray="5 4"' if is_dashed else ""
        self.parts.append(
            f'<rect x="{at.x:.1f}" y="{at.y:.1f}" width="{at.width:.1f}" height="{at.height:.1f}" '
            f'fill="{fill or "none"}" stroke="{edge}"{dashes}/>'
        )

    def text(self, x: float, y: float, text: str, color: str, is_bold: bool) -> None:
        """Write a text whose middle line begins at (x, y)."""
        weight = ' font-weight="bold"' if is_bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" dy="0.35em" fill="{color}"{weight} xml:space="preserve">'
            f"{escape(text)}</text>"
        )

    def line(self, points: Sequence[Point]) -> None:
        """Draw a line through points, with an arrow at its end."""
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{way}" fill="none" stroke="{_BLACK}" stroke-width="1.2"/>')
        tip = " ".join(f"{x:.1f},{y:.1f}" for x, y in _arrow(points))
        self.parts.append(f'<polygon points="{tip}" fill="{_BLACK}"/>')


class PngCanvas:
    """A picture of pixels, whose strokes are noted and drawn when its size is known."""

    def __init__(self, scale: float) -> None:
        from PIL import ImageFont

        self.scale = scale
        self._font: Any = ImageFont.load_default(_FONT * scale)
        self._strokes: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def width_of(self, text: str, is_bold: bool) -> float:
        """The width of a text, in points."""
        return float(self._font.getlength(text)) / self.scale + is_bold * 0.6

    def rectangle(self, at: Placed, fill: str | None, edge: str, is_dashed: bool = False) -> None:
        """Draw a rectangle."""
        corners = (at.x, at.y, at.x + at.width, at.y + at.height)
        if not is_dashed:
            self._note("rectangle", [self.scale * c for c in corners], fill=fill, outline=edge, width=self._pixels(1))
            return
        x0, y0, x1, y1 = corners
        sides = (((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x0, y1), (x1, y1)), ((x0, y0), (x0, y1)))
        for (ax, ay), (bx, by) in sides:
            length = max(bx - ax, by - ay)
            for i in range(int(length // 9) + 1):
                ends = (9 * i / length, min(9 * i + 5, length) / length)
                dash = [(ax + (bx - ax) * t, ay + (by - ay) * t) for t in ends]
                self._note("line", self._scaled(dash), fill=edge, width=self._pixels(1))

    def text(self, x: float, y: float, text: str, color: str, is_bold: bool) -> None:
        """Write a text whose middle line begins at (x, y)."""
        stroke = {"stroke_width": 0.3 * self.scale} if is_bold else {}
        self._note("text", (x * self.scale, y * self.scale), text, fill=color, font=self._font, anchor="lm", **stroke)

    def line(self, points: Sequence[Point]) -> None:
        """Draw a line through points, with an arrow at its end."""
        self._note("line", self._scaled(points), fill=_BLACK, width=self._pixels(1.2), joint="curve")
        self._note("polygon", self._scaled(_arrow(points)), fill=_BLACK)

    def content(self, size: tuple[float, float]) -> bytes:
        """The PNG file."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", [max(round(length * self.scale), 1) for length in size], LIGHT)
        pen = ImageDraw.Draw(image)
        for kind, positions, options in self._strokes:
            getattr(pen, kind)(*positions, **options)
        file = io.BytesIO()
        image.save(file, "PNG")
        return file.getvalue()

    def _note(self, kind: str, *positions: Any, **options: Any) -> None:
        self._strokes.append((kind, positions, options))

    def _pixels(self, points: float) -> int:
        return max(round(points * self.scale), 1)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]


def _arrow(points: Sequence[Point]) -> list[Point]:
    """The triangle at the end of a line."""
    (ax, ay), (bx, by) = points[-2:]
    length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 or 1.0
    dx, dy = (bx - ax) / length, (by - ay) / length
    return [(bx + v * dx - u * dy, by + v * dy + u * dx) for u, v in _ARROW]
