"""``distnet inspect`` says what a file holds, and which files are none."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.__main__ import main

REPORT = """\
{path}: whole model, HDF5, {size}
  written by   distnet, as Keras {version}
  seal         whole
  model        Sequential net
  parameters   59
    norm   BatchNormalization  8 float32, 8 float32, 8 float32, 8 float32
    drop   Dropout             no weights
    dense  Dense               8x3 float32, 3 float32
  compiled     Adam, learning rate ExponentialDecay; loss categorical_crossentropy; metrics ['accuracy', 'AUC']
  optimizer    state in distnet's layout: 8 arrays, 344 bytes in /distnet/optimizer
  training     2 steps, 2 epochs
"""


@pytest.fixture(scope="module")
def model():
    stack = [
        layers.Input(shape=(8,)),
        layers.BatchNormalization(name="norm"),
        layers.Dropout(0.1, name="drop"),
        layers.Dense(3, "softmax", name="dense"),
    ]
    model = keras.Sequential(stack, name="net")
    rate = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(keras.optimizers.Adam(rate), "categorical_crossentropy", ["accuracy", keras.metrics.AUC()])
    model.fit(np.ones((8, 8)), np.eye(3)[np.arange(8) % 3], epochs=2, verbose=0)
    return model


def test_the_report_says_everything_in_a_page(model, tmp_path, capsys):
    path = tmp_path / "m.h5"
    model.save(path)
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    with h5py.File(path) as file:
        version = file.attrs["keras_version"]
    head = REPORT.format(path=path, size=f"{path.stat().st_size / 1000:.1f} kB", version=version)
    assert text.startswith(head)
    assert text[len(head) :].startswith("  last epoch   loss: ")
    assert text.count("\n") == 12


def test_json_has_one_object_a_line(model, tmp_path, capsys):
    for name in ("m.h5", "m.keras", "m.weights.h5"):
        model.save_weights(tmp_path / name) if "weights" in name else model.save(tmp_path / name)
    model.save_weights(tmp_path / "w.h5")
    files = [str(tmp_path / name) for name in ("m.h5", "m.keras", "m.weights.h5", "w.h5")]
    assert main(["inspect", "--json", *files]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["kind"] for entry in found] == [
        "whole model, HDF5",
        "whole model, .keras archive",
        "weights, Keras 3's layout",
        "weights, legacy layout",
    ]
    for entry in found:
        assert (entry["parameters"], entry["seal"]) == (59, "whole")
        held = {layer["name"]: [w["shape"] for w in layer["weights"]] for layer in entry["layers"] if layer["weights"]}
        assert held == {"norm": [[8]] * 4, "dense": [[8, 3], [3]]}
    assert found[0]["training"]["history"].keys() == {"loss", "accuracy", "auc"}
    assert [state["group"] for state in found[1]["optimizer_state"]] == ["/distnet/optimizer", "/optimizer/vars"]


def test_what_is_no_name_is_said_in_one_line(tmp_path, capsys):
    assert main(["inspect", ""]) == 1
    assert capsys.readouterr().err == "distnet: inspect: expected the name of a file, received ''.\n"
    script = tmp_path / "script.py"
    script.touch()
    for folder in (script, "/proc/nothing", "a\0b"):
        with pytest.raises(SystemExit):
            main(["run", "--output", str(folder), str(script)])
        assert "error: --output: " in capsys.readouterr().err


def test_what_is_no_models_file_is_said_and_the_others_are_shown(model, tmp_path, capsys):
    model.save(tmp_path / "m.h5")
    content = (tmp_path / "m.h5").read_bytes()
    (tmp_path / "damaged.h5").write_bytes(content[:5000] + b"x" + content[5001:])
    (tmp_path / "unsealed.h5").write_bytes(content[:-64])
    names = ("none.h5", "damaged.h5", "unsealed.h5")
    assert main(["inspect", *(str(tmp_path / name) for name in names)]) == 1
    told = capsys.readouterr()
    assert "none.h5: there is no such file" in told.err
    assert "damaged.h5: damaged: its" in told.err
    assert "seal         none: not written by distnet, or edited since" in told.out


@pytest.mark.slow
def test_the_package_is_a_command(model, tmp_path):
    model.save(tmp_path / "m.h5")
    command = [sys.executable, "-m", "distnet", "inspect", str(tmp_path / "m.h5")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "Sequential net" in done.stdout
