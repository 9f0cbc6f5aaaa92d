"""Boxes of a picture do not overlap, stand below what they are computed from, and lines run around them."""

from __future__ import annotations

import itertools

import pytest

from distnet.models.layout import Placed, lay_out

SIZES = {"a": (90, 30), "b": (140, 60), "c": (60, 30), "d": (100, 30), "e": (80, 60), "f": (200, 30)}
LINES = [("a", "b"), ("b", "c"), ("b", "d"), ("b", "e"), ("c", "f"), ("d", "f"), ("e", "f"), ("a", "f")]


def overlap(p: Placed, q: Placed) -> bool:
    return p.x < q.x + q.width and q.x < p.x + p.width and p.y < q.y + q.height and q.y < p.y + p.height


@pytest.mark.parametrize("direction", ["TB", "BT", "LR", "RL"])
def test_boxes_lie_apart_within_the_picture_in_the_direction_of_the_lines(direction):
    layout = lay_out(SIZES, LINES, direction)
    assert not [pair for pair in itertools.combinations(layout.boxes, 2) if overlap(*(layout.boxes[n] for n in pair))]
    for node, box in layout.boxes.items():
        assert (box.width, box.height) == pytest.approx(SIZES[node])
        assert min(box.x, box.y) >= -1e-9
        assert box.x + box.width <= layout.size[0] + 1e-9
        assert box.y + box.height <= layout.size[1] + 1e-9
    for a, b in LINES:
        start, end = layout.boxes[a], layout.boxes[b]
        first, second = (start, end) if direction in ("TB", "LR") else (end, start)
        along = (first.y + first.height, second.y) if direction in ("TB", "BT") else (first.x + first.width, second.x)
        assert along[0] < along[1]


def test_a_line_that_skips_layers_runs_around_the_boxes_between():
    layout = lay_out(SIZES, LINES, "TB")
    (points,) = (points for line, points in zip(LINES, layout.lines, strict=True) if line == ("a", "f"))
    for x, y in points[1:-1]:
        for box in layout.boxes.values():
            assert not (box.x < x < box.x + box.width and box.y < y < box.y + box.height)


def test_a_line_back_and_a_picture_of_one_box_are_drawn():
    assert lay_out({"a": (10, 5)}, [], "TB").size == (10, 5)
    layout = lay_out({"a": (10, 5), "b": (10, 5)}, [("a", "b"), ("b", "a")], "TB")
    assert layout.lines[0][0][1] < layout.lines[0][-1][1]
    assert layout.lines[1][0][1] > layout.lines[1][-1][1]
