"""examples/mnist.py as a user starts it: alone and on ranks, with data, without, without a network."""

from __future__ import annotations

import gzip
import re
import struct
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


FEWER = {name: (shape[0] // 10, *shape[1:]) for name, shape in SHAPES.items()}


def written(folder: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    """A folder with files of MNIST's form: ten random patterns, over and over."""
    (folder / "mnist").mkdir()
    patterns = np.random.default_rng(0).integers(0, 256, (10, 28, 28), dtype=np.uint8)
    for name, shape in shapes.items():
        labels = (np.arange(shape[0]) % 10).astype(np.uint8)
        array = patterns[labels] if len(shape) == 3 else labels
        content = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + array.tobytes()
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many images as MNIST has."""
    return written(tmp_path_factory.mktemp("data"), SHAPES)


@pytest.fixture(scope="module")
def fewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenth of the images, for programs that were told so: ``on_fewer``."""
    return written(tmp_path_factory.mktemp("fewer"), FEWER)


def result(output: str) -> tuple[float, float]:
    """Test loss and accuracy, printed once."""
    losses = re.findall(r"^Test loss: ([\d.]+)$", output, re.M)
    accuracies = re.findall(r"^Test accuracy: ([\d.]+)$", output, re.M)
    assert len(losses) == len(accuracies) == 1
    return float(losses[0]), float(accuracies[0])


def on_fewer(path: Path, before: str = "") -> Path:
    """A program that runs the example with its arguments, on a tenth of MNIST."""
    path.write_text(
        f"import runpy\n{before}\nfrom distnet.datasets import mnist\n"
        "mnist.SHAPES.update({name: (shape[0] // 10, *shape[1:]) for name, shape in mnist.SHAPES.items()})\n"
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')\n"
    )
    return path


def without(module: str) -> str:
    """A program that runs the example where this module cannot be imported."""
    return (
        f"import runpy, sys; sys.modules[{module!r}] = None; sys.argv[1:] = []; "
        f"runpy.run_path({str(EXAMPLE)!r}, run_name='__main__')"
    )


def test_it_prints_the_model_and_the_same_result_on_any_number_of_ranks(data, alone, ranks):
    options = ("--data", data, "--epochs", 1, "--batch-size", 1000, "--verbose", 2)
    one = alone.run(EXAMPLE, *options).succeeded().stdout
    three = ranks(3).run(EXAMPLE, *options).succeeded().stdout
    assert one.count("535,818") == three.count("535,818") > 0
    assert result(three) == pytest.approx(result(one), abs=2e-3)


def test_it_goes_on_from_its_checkpoint_on_another_number_of_ranks(fewer, alone, ranks, tmp_path):
    example = on_fewer(tmp_path / "example.py")
    options = ("--data", fewer, "--batch-size", 200, "--verbose", 2, "--checkpoint")
    whole = alone.run(example, *options, tmp_path / "whole.h5", "--epochs", 2).succeeded().stdout
    resumed = (*options, tmp_path / "model.h5", "--resume")
    first = ranks(2).run(example, *resumed, "--epochs", 1).succeeded().stdout
    assert "model.h5 does not exist yet: training starts afresh." in first
    second = alone.run(example, *resumed, "--epochs", 2).succeeded().stdout
    assert "Epoch 1/2" not in second
    assert "Epoch 2/2" in second
    assert result(second) == pytest.approx(result(whole), abs=2e-3)


@pytest.mark.usefixtures("lonely")
def test_without_data_and_network_it_says_so_and_trains_on_small_digits(alone):
    output = alone.run(EXAMPLE, "--epochs", 3, "--batch-size", 32, "--verbose", 0).succeeded().stdout
    assert "mnist: not found on this machine, and it cannot be downloaded" in output
    assert "Training on scikit-learn's 1,797 small digits instead." in output
    assert result(output)[1] > 0.8


@pytest.mark.usefixtures("lonely")
def test_without_scikit_learn_either_it_names_the_package(alone):
    job = alone.run(without("sklearn"))
    assert job.returncode == 1
    assert job.stdout.rstrip().endswith("pip install scikit-learn")


def test_alone_it_never_imports_mpi4py(fewer, alone, tmp_path):
    example = on_fewer(tmp_path / "example.py", "import sys; sys.modules['mpi4py'] = None")
    options = ("--data", fewer, "--epochs", 1, "--batch-size", 1000, "--verbose", 0)
    result(alone.run(example, *options).succeeded().stdout)


def test_resuming_from_no_checkpoint_is_a_usage_error(alone):
    job = alone.run(EXAMPLE, "--resume").failed("--checkpoint PATH")
    assert job.returncode == 2
