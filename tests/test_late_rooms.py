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
from distnet.activations import ACTIVATIONS
from distnet.initializers import INITIALIZERS
from distnet.late_rooms import without_looking_for_garbage
from distnet.layers import LAYERS
from distnet.losses import LOSSES
from distnet.metrics import METRICS
from distnet.metrics.of_losses import OF_LOSSES
from distnet.optimizers import OPTIMIZERS
from distnet.optimizers.learning_rate_schedule import SCHEDULES

ROOT = Path(distnet.__file__).parent
PACKAGES = {
    ".".join(["distnet", *path.parent.relative_to(ROOT).parts]): ast.parse(text)
    for path in sorted(ROOT.rglob("__init__.py"))
    if "_HOMES = homes(" in (text := path.read_text(encoding="utf-8"))
}

FAMILIES = {
    ACTIVATIONS: distnet.activations,
    INITIALIZERS: distnet.initializers,
    LAYERS: distnet.layers,
    LOSSES: distnet.losses,
    METRICS: distnet.metrics,
    OPTIMIZERS: distnet.optimizers,
    SCHEDULES: distnet.optimizers,
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


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.kind)
def test_every_member_is_expected_where_it_is(family):
    package = FAMILIES[family]
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(info.name)
    for name, member in family.classes().items():
        if member.__module__.startswith(f"{package.__name__}."):
            assert family.home_of(name) == member.__module__


def test_metrics_of_losses_are_expected_by_their_losses_names():
    for name, metric in METRICS.classes().items():
        if name in OF_LOSSES:
            homes = {METRICS.home_of(spelled) for spelled in METRICS.names_of(metric)}
            assert homes <= {"distnet.metrics.of_losses", None}
    assert OF_LOSSES.keys() <= set(distnet.metrics.__all__)


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
needless = {
    *("layers.recurrent.lstm", "layers.image.warping", "layers.convolutional.convolution"),
    *("layers.preprocessing.text_vectorization", "optimizers.adam", "optimizers.schedules", "optimizers.loss_scale"),
    *("activations.gates", "activations.shrinkers", "activations.sigmoids", "activations.softmaxes"),
    *("initializers.distributions", "initializers.fourier_kernels"),
    *("losses.crossentropy", "losses.focal", "losses.hinges", "losses.overlap", "losses.sequences"),
    *("metrics.confusion", "metrics.of_losses", "metrics.composed_accuracies", "losses.composed_losses"),
    *("applications", "datasets", "pipelines.dataset", "saving.keras_h5", "utils.feature_space"),
}
loaded = {f"distnet.{name}" for name in needless} & sys.modules.keys()
assert not loaded, loaded
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


FIRST = {
    "activations.softmax": "Softmax(axis=-1)",
    "activations.gates.GELU": "GELU",
    "activations.get('relu6')": "ReLU(negative_slope=0.0, max_value=6.0",
    "activations.get('hard_swish').__name__": "hard_silu",
    "activations.get('sofplus')": "Did you mean 'softplus'",
    "activations.serialize(keras.activations.softmax)": "softmax",
    "activations.get(keras.ops.gelu)": "GELU(approximate=True)",
    "activations.get(keras.ops.relu6).__name__": "relu6",
    "initializers.get('normal')": "RandomNormal(",
    "initializers.OrthogonalInitializer": "Orthogonal",
    "initializers.get('ortogonal')": "Did you mean 'Orthogonal'",
    "losses.MSE.__name__": "mean_squared_error",
    "losses.pairs.Circle": "Circle",
    "losses.get('cosine_proximity').__name__": "cosine_similarity",
    "losses.deserialize({'class_name': 'Huber', 'config': {'delta': 2.0}})": "Huber(",
    "losses.get('mean_squred_error')": "Did you mean 'MeanSquaredError'",
    "metrics.mse.__name__": "mean_squared_error",
    "metrics.auc.AUC": "AUC",
    "metrics.AUC(name='a')": "AUC(name='a'",
    "metrics.get('logcosh')": "LogCoshError(",
    "metrics.get('mse').name": "mean_squared_error",
    "metrics.get('cosine_proximity')": "CosineSimilarity",
    "metrics.get('preccision')": "Did you mean 'Precision'",
    "metrics.huber.__name__": "huber",
    "metrics.MeanMetricWrapper('mae').name": "mean_absolute_error",
    "optimizers.get('adam').name": "adam",
    "optimizers.sgd": "SGD",
    "optimizers.legacy.Adam": "Adam",
    "optimizers.LossScaleOptimizerV3": "AttributeError",
    "optimizers.OPTIMIZERS.find('LossScaleOptimizerV3')": "LossScaleOptimizer",
    "optimizers.get('adm')": "Did you mean 'Adam'",
    "optimizers.schedules.deserialize('CosineDecay')": "needs initial_learning_rate",
    "optimizers.Adam and keras.optimizers.adam": "Adam",
}
"""What programs name first -> what they see."""
EACH = """
import os, sys
import distnet as keras
for code in sys.argv[1:]:
    if not os.fork():
        try:
            print(eval(f"keras.{code}"), flush=True)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.slow
def test_a_name_that_a_program_asks_for_first_is_found():
    run = subprocess.run([sys.executable, "-c", EACH, *FIRST], capture_output=True, text=True, timeout=100, check=False)
    lines = run.stdout.splitlines()
    assert len(lines) == len(FIRST), run.stdout + run.stderr
    assert [line for line, seen in zip(lines, FIRST.values(), strict=True) if seen not in line] == []
