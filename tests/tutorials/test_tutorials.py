"""Scripts as Keras's tutorials have them, with their imports changed: alone and on two ranks the same History."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
SCRIPTS = {
    "backend_shapes": ["pooled (None, 4, 3, 3) float32 1e-07", "rate 0.0005"],
    "drawing": ["a picture True True"],
    "estimators": ["classes ['high', 'low']"],
    "keras_1": ["val_acc 3"],
    "loose_ends": ["unbuilt", "pooled [None, 5]", "first ['mood', 'strength']", "kept True"],
    "loan": ["Epoch 15/15", "accuracy 0."],
    "mnist_cnn": ["Epoch 2/2", "Test loss:"],
    "mnist_mlp": ["1500 train samples", "Test accuracy:"],
    "new_optimizers": ["trained 7"],
    "old_keys": ["epochs 3 3", "seen True", "best True"],
    "pima": ["accuracy: ", "(expected 0)"],
    "random_mlp": ["loss and accuracy: ["],
    "text_lstm": ["Found 15 unique tokens.", "a dull film: 0."],
    "two_inputs": ["Connected to", "(4, 1) (4, 1)"],
}
SEEDLESS = {"backend_shapes", "estimators", "loose_ends", "new_optimizers", "old_keys"}
"""Scripts that are run without a seed: one rank repeats them with the seed that two ranks agreed on."""
WRITES = {
    "drawing": ["net.png", "net.svg"],
    "loan": ["accuracy.png", "best.h5", "loss.png"],
    "loose_ends": ["logs"],
    "old_keys": ["best.h5"],
    "pima": ["model.h5", "model.json", "model.weights.h5"],
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data with images of MNIST's number and size: ten random patterns, over and over."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mnist").mkdir()
    patterns = np.random.default_rng(0).integers(0, 256, (10, 28, 28), dtype=np.uint8)
    labels = [(np.arange(rows) % 10).astype(np.uint8) for rows in (60000, 10000)]
    arrays = {"x_train": patterns[labels[0]], "y_train": labels[0], "x_test": patterns[labels[1]], "y_test": labels[1]}
    np.savez(folder / "mnist" / "mnist.npz", **arrays)
    return folder


def write_table(path: Path) -> None:
    """A table of the Pima Indians' form: eight measurements and whether diabetes began."""
    rng = np.random.RandomState(7)
    x = rng.gamma(4.0, [1, 30, 17, 5, 20, 8, 0.12, 8], size=(768, 8)).round(3)
    risk = (x[:, 1] - 120) / 30 + (x[:, 5] - 32) / 8 + rng.normal(size=768)
    np.savetxt(path, np.column_stack([x, risk > 0.5]), fmt="%g", delimiter=",")


def with_its_imports_changed(script: Path, folder: Path) -> Path:
    source = re.sub(r"^import keras$", "import distnet as keras", script.read_text(encoding="utf-8"), flags=re.M)
    changed = folder / script.name
    changed.write_text(re.sub(r"^from keras\b", "from distnet", source, flags=re.M), encoding="utf-8")
    return changed


def told(output: str, what: str) -> str:
    (line,) = (line for line in output.splitlines() if line.startswith(what))
    return line.removeprefix(what)


@pytest.mark.parametrize("script", sorted(path.stem for path in (HERE / "programs").glob("*.py")))
def test_a_script_gives_the_same_history_on_any_number_of_ranks(script, images, alone, ranks, tmp_path):
    changed = with_its_imports_changed(HERE / "programs" / f"{script}.py", tmp_path)
    seed = "any" if script in SEEDLESS else ""
    histories: list[dict[str, list[float]]] = []
    for number, starter in enumerate((ranks(2), alone)):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_table(folder / "pima-indians-diabetes.csv")
        arguments = (HERE.parent / "tools" / "as_distnet.py", changed, folder, seed)
        job = starter.run(*arguments, env={"DISTNET_DATA": str(images)}).succeeded()
        assert [text for text in SCRIPTS[script] if text not in job.stdout] == []
        assert sorted(path.name for path in folder.iterdir() if path.suffix != ".csv") == WRITES.get(script, [])
        histories.append(json.loads(told(job.stdout, "HISTORY ")))
        seed = told(job.stdout, "SEED ") if seed else ""
    two, one = histories
    assert one.keys() == two.keys()
    for key, values in one.items():
        np.testing.assert_allclose(two[key], values, rtol=0, atol=1e-6, err_msg=key)
