"""The plan of the house: one name a file, no circles, and nothing imported upward, by string neither."""

from __future__ import annotations

import ast
import functools
import subprocess
import tomllib
from collections import Counter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "distnet"
CONTRACT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]

BY_STRING = {
    "__init__": {
        None: 2,
        "distnet.comm": 1,
        "distnet.models": 1,
        "distnet.distillation": 1,
        "distnet.training.tape_checks": 1,
        "distnet.utils.feature_space": 1,
    },  # what is public, when it is first wanted
    "absent": {None: 2},  # names that a module finds in another: ROOMS below
    "callbacks.plot_losses": {"IPython.display": 1},  # where it is installed
    "callbacks.remote_monitor": {"urllib.request": 1},  # where logs are sent
    "late_rooms": {None: 1},  # names of tables: tests/test_late_rooms.py
    "layers.__init__": {"distnet.layers.second_derivatives": 1},  # where gradients of gradients are taken
    "models.plotting": {"IPython.display": 1},  # likewise
    "losses.made_function": {None: 1},  # what members are composed of, where tensors or placeholders are given
    "registry.family": {None: 1},  # members that a table of their room names
    "saving.late_h5py": {"h5py": 1},  # where files are read or written
    "optimizers.__init__": {"distnet.optimizers.legacy": 1},  # seldom wanted
    "wrappers.__init__": {"distnet.wrappers.scikit_learn": 1, "distnet.wrappers.keras_3": 1},  # need scikit-learn
}
"""What is imported by string: module -> name of what it imports (None: worked out) -> how often."""
SETS_UP = {
    *("add", "importorskip", "insert", "set_dtype_policy", "set_floatx", "set_random_seed", "setdefault"),
    *("simplefilter", "update"),
}
"""Functions that a file of the tests may call when it is imported."""
AT_THE_ROOT = {
    *(".ci", ".github", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("README.md", "benchmarks", "distnet", "docs", "examples", "launch", "pyproject.toml", "tests"),
}


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Every file of the package: its path with dots -> its text, parsed."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in paths
    }


def level(module: str) -> int:
    """The line of the contract that has a module's room: 0 is the top."""
    room = module.removeprefix("distnet.").split(".")[0]
    return next((i for i, line in enumerate(CONTRACT) if room in line.split(" | ")), -1)


def calls(tree: ast.Module, *names: str) -> list[ast.Call]:
    every = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node for node in every if getattr(node.func, "attr", getattr(node.func, "id", None)) in names]


def constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def test_no_two_files_have_one_name():
    names = Counter(path.name for path in PACKAGE.rglob("*.py"))
    assert {name for name, count in names.items() if count > 1} == {"__init__.py", "base.py"}


def test_modules_do_not_import_each_other_in_circles():
    graph = grimp.build_graph("distnet", exclude_type_checking_imports=False, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    while outer := imported.keys() & (
        {module for module, others in imported.items() if not others & imported.keys()}
        | (imported.keys() - {other for others in imported.values() for other in others})
    ):
        imported = {module: others for module, others in imported.items() if module not in outer}
    assert not imported, sorted(imported)


def test_what_is_imported_by_string_is_known_and_counted():
    by_string: dict[str, Counter[str | None]] = {}
    for name, tree in modules().items():
        if imports := calls(tree, "import_module", "__import__"):
            by_string[name] = Counter(constant(call.args[0]) for call in imports)
    for name, targets in by_string.items():
        assert targets.items() <= BY_STRING.get(name, {}).items(), name
    for name, targets in by_string.items():
        for target in targets:
            assert target is None or level(target) >= level(name) or not target.startswith("distnet"), name


def test_names_are_found_in_rooms_below():
    """``names_elsewhere`` imports rooms by string, and so do the modules that ``old_paths`` makes."""
    for name, tree in modules().items():
        rooms = [
            constant(room)
            for call in calls(tree, "names_elsewhere")
            for argument in call.args[1:2]
            if isinstance(argument, ast.List)
            for room in argument.elts
        ]
        rooms += [constant(call.args[2]) for call in calls(tree, "old_paths")]
        for room in rooms:
            if room is not None:
                assert level(room) >= level(name), f"distnet.{name} finds names in distnet.{room}, which is above it"


def does_something(node: ast.stmt) -> bool:
    """Whether a statement of a file does more, when the file is imported, than to define and to set up."""
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return any(isinstance(part, ast.Attribute) and ast.unparse(part) == "sys.argv" for part in ast.walk(node))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func).rpartition(".")[2] not in SETS_UP
    if isinstance(node, ast.If):
        is_guard = ast.unparse(node.test) == "__name__ == '__main__'"
        return not is_guard and not all(isinstance(part, ast.Import) for part in node.body)
    return isinstance(node, ast.With | ast.Try | ast.While)


def test_programs_of_the_tests_have_a_main_guard():
    """But the tutorials', which are as their readers write them."""
    paths = [path for path in (ROOT / "tests").rglob("*.py") if not path.is_relative_to(ROOT / "tests/tutorials")]
    unguarded = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in paths
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if does_something(node)
    }
    assert unguarded == set()


def test_tests_mirror_the_package():
    """But for what starts ranks or programs, and what helps tests."""
    folders = [path for path in (ROOT / "tests").rglob("*") if path.is_dir() and any(path.glob("test_*.py"))]
    names = {str(path.relative_to(ROOT / "tests")) for path in folders}
    assert {name for name in names if not (PACKAGE / name).is_dir()} == {
        "benchmarks",
        "examples",
        "launch",
        "tutorials",
    }


def test_nothing_lies_at_the_root_that_does_not_belong_there():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    names = {name.split("/")[0] for name in tracked.splitlines()}
    assert names <= AT_THE_ROOT
