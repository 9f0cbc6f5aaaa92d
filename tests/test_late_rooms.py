"""Names that are imported when they are first asked for: tables of names are whole, programs load what they name."""

from __future__ import annotations

import ast
import gc
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import distnet
from distnet.late_rooms import without_looking_for_garbage
from distnet.layers import LAYERS

ROOT = Path(distnet.__file__).parent
PACKAGES = {
    ".".join(["distnet", *path.parent.relative_to(ROOT).parts]): ast.parse(text)
    for path in sorted(ROOT.rglob("__init__.py"))
    if "_HOMES = homes(" in (text := path.read_text(encoding="utf-8"))
}


def imported_names(package: str) -> dict[str, str]:
    """What a package's front imports for others, at once or for who checks types: name -> module."""
    imports = [node for node in ast.walk(PACKAGES[package]) if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names if alias.name == alias.asname}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_table_has_the_names_that_type_checkers_read(package):
    module = importlib.import_module(package)
    imported = imported_names(package)
    late = {
        alias.name
        for node in PACKAGES[package].body
        if isinstance(node, ast.If)
        for part in ast.walk(node)
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
    } - {"merge"}  # a room of layers, which is imported as any other
    table = module._HOMES
    assert late <= table.keys()
    assert {name: imported[name] for name in table} == table
    for name, home in table.items():
        its_home = importlib.import_module(home)
        assert getattr(module, name) is (
            sys.modules[f"{package}.{name}"] if home == package else getattr(its_home, name)
        )


@pytest.mark.parametrize("package", PACKAGES)
def test_late_names_are_listed_and_imported_by_star(package):
    names = importlib.import_module(package)._HOMES.keys()
    assert names <= set(dir(importlib.import_module(package)))
    assert names <= set(importlib.import_module(package).__all__)


def test_every_layer_is_expected_where_it_is():
    for info in pkgutil.walk_packages(distnet.layers.__path__, "distnet.layers."):
        importlib.import_module(info.name)
    for name, layer in LAYERS.classes().items():
        if layer.__module__.startswith("distnet.layers."):
            assert LAYERS.home_of(name) == layer.__module__


@pytest.mark.parametrize("is_on", [True, False])
def test_imports_leave_the_search_for_garbage_as_it_was(is_on):
    (gc.enable if is_on else gc.disable)()
    try:
        with pytest.raises(ModuleNotFoundError), without_looking_for_garbage():
            importlib.import_module("no_such_module_whatever" if not gc.isenabled() else "gc")
        assert gc.isenabled() == is_on
    finally:
        gc.enable()


PROGRAM = """
import pickle, sys
import distnet as keras
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="relu"), keras.layers.Dense(1)])
model.compile("rmsprop", "mse")
model.fit([[1.0, 2.0, 3.0]], [[1.0]], verbose=0)
keras.utils.to_categorical([1])
needless = {"recurrent.lstm", "image.warping", "convolutional.convolution", "preprocessing.text_vectorization"}
loaded = {f"distnet.layers.{name}" for name in needless} & sys.modules.keys()
loaded |= {"distnet.applications", "distnet.datasets", "distnet.saving.keras_h5", "distnet.utils.feature_space"}
assert not loaded & sys.modules.keys(), loaded & sys.modules.keys()
assert not {"h5py", "ssl", "tarfile", "mpi4py", "PIL"} & sys.modules.keys()

nested = {"class_name": "TimeDistributed", "config": {"layer": {"class_name": "MaxPool1D", "config": {}}}}
assert type(keras.layers.deserialize(nested).layer).__name__ == "MaxPooling1D"
assert keras.layers.deserialize({"class_name": "cudnn_gru", "config": {"units": 2}}).units == 2
assert keras.layers.LAYERS.with_module({"class_name": "LayerScale"})["module"] == "keras.src.applications.convnext"
kind = pickle.loads(b"cdistnet.layers.recurrent.lstm\\nLSTM\\n.")
assert kind is keras.layers.LSTM and "distnet.layers.wrappers.bidirectional" not in sys.modules
try:
    keras.layers.deserialize({"class_name": "Bidirectionel", "config": {}})
except keras.errors.DistnetError as error:
    assert "Did you mean 'Bidirectional'" in str(error), error
from distnet.layers import *
assert Conv2D is keras.layers.Conv2D
try:
    keras.layers.NoSuchLayer
except AttributeError as error:
    assert "NoSuchLayer" in str(error)
print("done")
"""


def test_a_program_loads_what_it_names_and_finds_the_rest_by_name():
    environment = {**os.environ, "DISTNET_KERNELS": "numpy"}  # nothing is compiled
    command = [sys.executable, "-c", PROGRAM]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)
    assert run.stdout == "done\n", run.stderr
