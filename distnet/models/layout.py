"""Where the boxes of a picture lie, and how the lines between them run, without Graphviz.

Boxes stand in layers: each below all that it is computed from. Within a layer they are ordered by where their
neighbours stand, so that few lines cross; a line that skips layers gets a place in each of them, and runs around the
boxes there.

Source: Sugiyama et al., "Methods for visual understanding of hierarchical system structures", IEEE SMC 11(2), 1981.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Size = tuple[float, float]

LAYER_GAP = 36.0
"""Between two layers, in points."""
_GAP, _LINE_WIDTH = 24.0, 6.0
_SWEEPS = 8


@dataclass(frozen=True)
class Placed:
    """A box: its upper left corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Layout:
    """A picture's size, its boxes by node, and its lines, each as the points that it runs through."""

    size: Size
    boxes: Mapping[str, Placed]
    lines: Sequence[Sequence[Point]]


def lay_out(sizes: Mapping[str, Size], lines: Sequence[tuple[str, str]], direction: str) -> Layout:
    """Place boxes of known sizes.

    Args:
        sizes: width and height by node, a box behind those that it is computed from.
        lines: from box to box; one to a box that stands before its start is drawn backwards.
        direction: ``"TB"`` from top to bottom, ``"BT"``, ``"LR"`` or ``"RL"``.
    """
    is_flat = direction in ("LR", "RL")
    turned = {node: (h, w) if is_flat else (w, h) for node, (w, h) in sizes.items()}
    chains = _chains(list(sizes), lines)
    levels = _levels(turned, chains)
    widths = {node: turned[node][0] if node in turned else _LINE_WIDTH for level in levels for node in level}
    middles = _aligned(levels, widths, chains)
    tops, total = [], 0.0
    for level in levels:
        tops.append(total)
        total += max(turned[node][1] for node in level if node in turned) + LAYER_GAP
    height = max(total - LAYER_GAP, 0.0)
    left = min((middles[node] - widths[node] / 2 for node in middles), default=0.0)
    breadth = max((middles[node] + widths[node] / 2 for node in middles), default=0.0) - left
    place: dict[str, tuple[float, float, float, float]] = {}
    for level, top in zip(levels, tops, strict=True):
        deepest = max(turned[node][1] for node in level if node in turned)
        for node in level:
            h = turned[node][1] if node in turned else deepest
            place[node] = (middles[node] - widths[node] / 2 - left, top + (deepest - h) / 2, widths[node], h)
    turn = _Turn(direction, breadth, height)
    boxes = {node: turn.box(*place[node]) for node in sizes}
    routes = [[turn.point(*point) for point in _route(chain, place)] for chain in chains]
    return Layout((height, breadth) if is_flat else (breadth, height), boxes, routes)


@dataclass(frozen=True)
class _Turn:
    """From top to bottom, as pictures are laid out, to another direction."""

    direction: str
    breadth: float
    height: float

    def point(self, x: float, y: float) -> Point:
        along = self.height - y if self.direction in ("BT", "RL") else y
        return (along, x) if self.direction in ("LR", "RL") else (x, along)

    def box(self, x: float, y: float, width: float, height: float) -> Placed:
        (x0, y0), (x1, y1) = self.point(x, y), self.point(x + width, y + height)
        return Placed(min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))


def end_of(box: Placed, direction: str, is_start: bool) -> Point:
    """Where a line begins at a box, or ends."""
    is_far = is_start == (direction in ("TB", "LR"))
    if direction in ("LR", "RL"):
        return box.x + box.width * is_far, box.y + box.height / 2
    return box.x + box.width / 2, box.y + box.height * is_far


def _chains(nodes: Sequence[str], lines: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Each line as the nodes that it runs through; a node that is no box is a place of the line in a layer."""
    order = {node: i for i, node in enumerate(nodes)}
    level = dict.fromkeys(nodes, 0)
    for node in nodes:
        before = [level[a] for a, b in lines if b == node and order[a] < order[node]]
        level[node] = 1 + max(before, default=-1)
    chains = []
    for i, (a, b) in enumerate(lines):
        low, high = sorted((level[a], level[b]))
        between = [f"{i}@{n}" for n in range(low + 1, high)]
        chains.append([a, *(between if level[a] <= level[b] else reversed(between)), b])
    return chains


def _levels(sizes: Mapping[str, Size], chains: Sequence[Sequence[str]]) -> list[list[str]]:
    """The nodes of each layer, in an order in which few lines cross."""
    depth = dict.fromkeys(sizes, 0)
    order = {node: i for i, node in enumerate(sizes)}
    for node in sizes:
        above = [depth[c[0]] + len(c) - 1 for c in chains if c[-1] == node and order[c[0]] < order[node]]
        depth[node] = max(above, default=0)
    places = dict(depth)
    for chain in chains:
        step = 1 if depth[chain[-1]] >= depth[chain[0]] else -1
        places.update({node: depth[chain[0]] + step * i for i, node in enumerate(chain[1:-1], 1)})
    levels: list[list[str]] = [[] for _ in range(1 + max(places.values(), default=-1))]
    for node, n in places.items():
        levels[n].append(node)
    near = _neighbours(chains)
    for sweep in range(_SWEEPS):
        for level in levels if sweep % 2 == 0 else reversed(levels):
            position = {node: i / max(len(row) - 1, 1) for row in levels for i, node in enumerate(row)}
            level.sort(key=lambda node: _mean([position[n] for n in near.get(node, ())], position[node]))
    return levels


def _neighbours(chains: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for chain in chains:
        for a, b in zip(chain, chain[1:], strict=False):
            near.setdefault(a, []).append(b)
            near.setdefault(b, []).append(a)
    return near


def _aligned(
    levels: Sequence[Sequence[str]], widths: Mapping[str, float], chains: Sequence[Sequence[str]]
) -> dict[str, float]:
    """The middle of each node, near the mean of its neighbours, without overlaps."""
    middles: dict[str, float] = {}
    for level in levels:
        x = -sum(widths[node] + _GAP for node in level) / 2
        for node in level:
            middles[node] = x + widths[node] / 2
            x += widths[node] + _GAP
    near = _neighbours(chains)
    for sweep in range(2 * _SWEEPS):
        for level in levels if sweep % 2 == 0 else reversed(levels):
            wanted = [_mean([middles[n] for n in near.get(node, ())], middles[node]) for node in level]
            middles.update(zip(level, _apart(wanted, [widths[node] for node in level]), strict=True))
    return middles


def _apart(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Middles in this order, without overlaps, near those wanted: pushed right and pushed left, averaged."""
    right, left = list(wanted), list(wanted)
    for i in range(1, len(right)):
        right[i] = max(right[i], right[i - 1] + (widths[i - 1] + widths[i]) / 2 + _GAP)
    for i in reversed(range(len(left) - 1)):
        left[i] = min(left[i], left[i + 1] - (widths[i] + widths[i + 1]) / 2 - _GAP)
    return [(a + b) / 2 for a, b in zip(right, left, strict=True)]


def _route(chain: Sequence[str], place: Mapping[str, tuple[float, float, float, float]]) -> list[Point]:
    """From the lower edge of a box to the upper one of another, down through the layers between."""
    points: list[Point] = []
    goes_down = place[chain[-1]][1] > place[chain[0]][1]
    for i, node in enumerate(chain):
        x, y, width, height = place[node]
        ends = [(x + width / 2, y), (x + width / 2, y + height)]
        ends = ends if goes_down else ends[::-1]
        points.extend(ends[1:] if i == 0 else ends[:1] if i == len(chain) - 1 else ends)
    return points


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
