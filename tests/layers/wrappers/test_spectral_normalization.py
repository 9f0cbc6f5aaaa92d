"""``SpectralNormalization`` divides kernels by their largest singular value, as Keras on JAX does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import distnet as keras
from distnet import layers
from distnet.errors import ArgumentError

PROGRAM = Path(__file__).parent / "programs" / "spectral.py"
WITHOUT_XLA = Path(__file__).parents[2] / "tools" / "without_xla.py"


@pytest.mark.slow
def test_it_trains_and_stores_what_keras_does(keras_3, tmp_path):
    for package, python in (("distnet", [sys.executable]), ("keras", [keras_3, WITHOUT_XLA])):
        subprocess.run([*python, PROGRAM, package, tmp_path / package], check=True, timeout=300)
    with np.load(tmp_path / "distnet.npz") as own, np.load(tmp_path / "keras.npz") as expected:
        assert own.files == expected.files
        for key in expected.files:
            np.testing.assert_allclose(own[key], expected[key], rtol=1e-5, atol=1e-5, err_msg=key)
        x = expected["x"]
        for end in (".keras", ".h5"):
            read = keras.models.load_model(tmp_path / f"keras{end}")
            np.testing.assert_allclose(read.predict(x, verbose=0), expected["outputs"], rtol=1e-5, atol=1e-5)


def test_after_many_steps_the_largest_singular_value_is_divided_by():
    layer = layers.SpectralNormalization(layers.Dense(4, use_bias=False, dtype="float64"), dtype="float64")
    x = np.eye(6)
    for _ in range(300):
        y = layer(x, training=True)
    kernel = layer.layer.kernel.value
    np.testing.assert_allclose(y, kernel / np.linalg.norm(kernel, 2), rtol=1e-8)
    np.testing.assert_allclose(layer(x), kernel)


def test_a_layer_without_a_kernel_is_refused():
    with pytest.raises(ArgumentError, match="spectral_normalization.*: expected a layer with a kernel or embeddings"):
        layers.SpectralNormalization(layers.ReLU())(np.ones((2, 3)))


def test_a_kernel_of_zeros_stays_what_it_is():
    layer = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    assert not np.any(layer(np.ones((2, 3)), training=True))
