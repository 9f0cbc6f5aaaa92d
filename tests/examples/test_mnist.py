"""examples/mnist.py as a user starts it: alone and on ranks, with data, without, without a network."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "mnist.py"
SHAPES = {
    "train-images-idx3-ubyte": (60000, 28, 28),
    "train-labels-idx1-ubyte": (60000,),
    "t10k-images-idx3-ubyte": (10000, 28, 28),
    "t10k-labels-idx1-ubyte": (10000,),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of MNIST's number and size, whose brightness is their label."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "mnist").mkdir()
    for name, shape in SHAPES.items():
        labels = (np.arange(shape[0]) % 10).astype(np.uint8)
        array = np.multiply.outer(labels, np.full(shape[1:], 20, np.uint8)) if len(shape) == 3 else labels
        content = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + array.tobytes()
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    return folder


def run(start: list[str], *arguments: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start the example in an empty home folder whose network leads nowhere."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISTNET_")}
    return subprocess.run(
        [*start, *map(str, arguments)],
        env=inherited | nowhere | {"HOME": str(folder)} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def alone() -> list[str]:
    return [sys.executable, str(EXAMPLE)]


def on_ranks(ranks: int) -> list[str]:
    beside = Path(sys.executable).parent / "mpirun"
    mpirun = str(beside) if beside.exists() else str(shutil.which("mpirun"))
    return [mpirun, "-n", str(ranks), sys.executable, str(EXAMPLE)]


def result(done: subprocess.CompletedProcess[str]) -> tuple[float, float]:
    """Test loss and accuracy, printed once."""
    assert done.returncode == 0, done.stdout + done.stderr
    losses = re.findall(r"^Test loss: ([\d.]+)$", done.stdout, re.M)
    accuracies = re.findall(r"^Test accuracy: ([\d.]+)$", done.stdout, re.M)
    assert len(losses) == len(accuracies) == 1
    return float(losses[0]), float(accuracies[0])


def test_it_prints_the_model_and_the_same_result_on_any_number_of_ranks(data, tmp_path):
    options = ("--data", data, "--epochs", 1, "--batch-size", 1000, "--verbose", 2)
    one = run(alone(), *options, folder=tmp_path)
    three = run(on_ranks(3), *options, folder=tmp_path)
    assert one.stdout.count("535,818") == three.stdout.count("535,818") > 0
    assert result(three) == pytest.approx(result(one), abs=2e-3)


def test_it_goes_on_from_its_checkpoint_on_another_number_of_ranks(data, tmp_path):
    options = ("--data", data, "--batch-size", 2000, "--verbose", 2, "--checkpoint", "model.h5")
    whole = run(alone(), *options[:-1], "whole.h5", "--epochs", 2, folder=tmp_path)
    first = run(on_ranks(2), *options, "--epochs", 1, "--resume", folder=tmp_path)
    assert "model.h5 does not exist yet: training starts afresh." in first.stdout
    second = run(alone(), *options, "--epochs", 2, "--resume", folder=tmp_path)
    assert "Epoch 1/2" not in second.stdout
    assert "Epoch 2/2" in second.stdout
    assert result(second) == pytest.approx(result(whole), abs=2e-2)  # rmsprop magnifies float32 rounding


def test_without_data_and_network_it_says_so_and_trains_on_small_digits(tmp_path):
    done = run(alone(), "--epochs", 3, "--batch-size", 32, "--verbose", 0, folder=tmp_path)
    assert "mnist: not found on this machine, and it cannot be downloaded" in done.stdout
    assert "Training on scikit-learn's 1,797 small digits instead." in done.stdout
    assert result(done)[1] > 0.8


def test_without_scikit_learn_either_it_names_the_package(tmp_path):
    blocked = f"import runpy, sys; sys.modules['sklearn'] = None; runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    done = run([sys.executable, "-c", blocked], folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout.rstrip().endswith("pip install scikit-learn")


def test_alone_it_never_imports_mpi4py(data, tmp_path):
    options = ["--data", str(data), "--epochs", "1", "--batch-size", "10000", "--verbose", "0"]
    blocked = (
        f"import runpy, sys; sys.modules['mpi4py'] = None; sys.argv[1:] = {options!r}; "
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    )
    result(run([sys.executable, "-c", blocked], folder=tmp_path))


def test_resuming_from_no_checkpoint_is_a_usage_error(tmp_path):
    done = run(alone(), "--resume", folder=tmp_path)
    assert done.returncode == 2
    assert "--checkpoint PATH" in done.stderr
