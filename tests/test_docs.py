"""What the map and the guide name exists: rooms, their order, paths, files, functions, and words of one meaning."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "distnet"
MAP, GUIDE = ROOT / "docs/architecture.md", ROOT / "CONTRIBUTING.md"
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]

TWICE_IN_KERAS = {
    *("Adagrad", "RMSprop"),  # an optimizer, and that of Keras's optimizers.legacy
    *("BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "CosineSimilarity", "Hinge"),
    *("KLDivergence", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "Poisson"),
    *("MeanSquaredLogarithmicError", "SparseCategoricalCrossentropy", "SquaredHinge"),  # a loss, and its metric
    *("ELU", "LeakyReLU", "ReLU", "Softmax"),  # a layer, and the activation of its name
    "Variable",  # a weight, and what makes one of a value
    *("Activation", "Identity", "Maximum"),  # a layer, and what it applies; an initializer; an operation
}
"""Names of classes that Keras has twice, or for which Keras has one of two meanings."""


def cells(text: str, header: str) -> list[list[str]]:
    """The rows of the table whose first line begins with ``header``."""
    lines = text[text.index(f"\n{header}") :].strip().splitlines()[2:]
    table = lines[: next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def names_in(path: Path) -> set[str]:
    """The functions, classes, methods and names of a file, methods as ``Class.method``."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {ast.unparse(name) for name in (node.targets if isinstance(node, ast.Assign) else [node.target])}
    return names


def named_paths(text: str) -> set[tuple[str, str]]:
    """``path:Name`` of a text; the name is empty where none is given. A path with ``*`` or ``...`` is none."""
    found = re.findall(r"(?<![\w/.*-])((?:[\w.-]+/)+(?:[\w.-]+\.\w+)?|[\w-]+\.py)(?::([A-Za-z_][\w.]*\w))?", text)
    return {(path, name) for path, name in found if "..." not in path and not path.startswith(".venv")}


@pytest.mark.parametrize("page", [MAP, GUIDE], ids=lambda page: page.name)
def test_what_a_page_names_exists(page):
    wrong = []
    named = named_paths(re.sub(r"https?://\S+", "", page.read_text(encoding="utf-8")))
    assert len(named) > 20
    for path, name in named:
        places = [place for place in (PACKAGE / path, ROOT / path) if place.exists()]
        if not places or (name and name not in names_in(places[0])):
            wrong.append(f"{path}:{name}" if name else path)
    assert wrong == []


def test_the_map_has_every_room_in_the_order_of_the_contract():
    rows = [", ".join(f"`{room}`" for room in line.split(" | ")) for line in CONTRACT]
    assert [row[0] for row in cells(MAP.read_text(encoding="utf-8"), "| rooms |")] == rows


def test_the_thousand_lines_worth_reading_are_about_a_thousand():
    total = 0
    for file, lines, _ in cells(MAP.read_text(encoding="utf-8"), "| file | lines |"):
        count = len((PACKAGE / file.strip("`")).read_text(encoding="utf-8").splitlines())
        assert abs(count - int(lines)) <= 0.15 * count + 5, f"{file} has {count} lines"
        total += count
    assert 850 <= total <= 1150


def test_a_word_has_one_row_in_the_table_of_words():
    words = [word for row in cells(GUIDE.read_text(encoding="utf-8"), "| word |") for word in row[0].split(", ")]
    assert len(words) > 20
    assert len(words) == len(set(words))


def test_no_two_classes_have_one_name():
    classes = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                classes[node.name].add(str(path.relative_to(PACKAGE)))
    twice = {name: sorted(paths) for name, paths in classes.items() if len(paths) > 1}
    assert {name: paths for name, paths in twice.items() if name not in TWICE_IN_KERAS} == {}
