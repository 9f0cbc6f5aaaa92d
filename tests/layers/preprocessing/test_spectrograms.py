"""Layers of spectrograms, and the kernels that they start with."""

import numpy as np
import pytest

import distnet as keras
from distnet import initializers, layers
from distnet.errors import ArgumentError, ShapeError

TONE = np.sin(2 * np.pi * 250.0 * np.arange(1000) / 2000.0).astype("float32")
"""A tone of 250 Hz, of half a second."""


def test_kernels_transform_as_fourier_does():
    real, imaginary = (
        initializers.STFT(side, None, None)((16, 1, 9), dtype="float64")[:, 0] for side in ("real", "imag")
    )
    x = np.random.default_rng(0).standard_normal(16)
    np.testing.assert_allclose(x @ real + 1j * (x @ imaginary), np.fft.rfft(x), atol=1e-12)


def test_a_window_is_symmetric_or_periodic_and_scaled():
    shape = (8, 1, 5)
    for periodic, length in ((False, 7), (True, 8)):
        weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(8) / length)
        first = np.asarray(initializers.STFT("real", "hann", "spectrum", periodic)(shape, dtype="float64"))[:, 0, 0]
        np.testing.assert_allclose(first, weights / weights.sum(), atol=1e-12)
    given = initializers.STFT("real", [1.0] * 8, "density")(shape, dtype="float64")
    np.testing.assert_allclose(np.asarray(given)[:, 0, 0], 1 / np.sqrt(8), atol=1e-12)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_tone_is_seen_at_its_frequency(data_format):
    layer = layers.STFTSpectrogram("magnitude", 64, 32, data_format=data_format, expand_dims=True)
    x = TONE[None, :, None] if data_format == "channels_last" else TONE[None, None]
    y = np.asarray(layer(x))
    assert y.shape == layer.compute_output_shape(x.shape)
    bands = y[0, :, :, 0] if data_format == "channels_last" else y[0, 0]
    assert (bands.argmax(1) == 8).all()


def test_mel_bands_see_a_tone_and_no_more_than_top_db_below():
    layer = layers.MelSpectrogram(64, 32, sampling_rate=2000, num_mel_bins=12, top_db=30.0)
    y = np.asarray(layer(np.stack([TONE, 0 * TONE])))
    assert y.shape == layer.compute_output_shape((2, 1000)) == (2, 12, 32)
    assert len(np.unique(y[0, :, 2:-2].argmax(0))) == 1
    np.testing.assert_allclose(y[1], y.max() - 30.0, rtol=1e-6)
    np.testing.assert_allclose(layer(TONE), y[0], rtol=1e-5)


def test_kernels_are_trained_and_kept(tmp_path):
    model = keras.Sequential(
        [keras.Input((64, 1)), layers.STFTSpectrogram("log", 16, 8), layers.GlobalAveragePooling1D(), layers.Dense(1)]
    )
    before = model.layers[0].get_weights()
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).standard_normal((8, 64, 1))
    model.fit(x, x.mean((1, 2)) + 1, epochs=1, verbose=0)
    assert all((a != b).any() for a, b in zip(before, model.layers[0].get_weights(), strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.STFTSpectrogram("loud"), "mode: expected one of"),
        (lambda: layers.STFTSpectrogram(frame_length=8, frame_step=9), "frame_step must be at most"),
        (lambda: layers.STFTSpectrogram(frame_length=8, fft_length=4), "fft_length must be at least"),
        (lambda: layers.STFTSpectrogram(window="tukey")(np.zeros((1, 300, 1))), "a window of"),
        (lambda: layers.MelSpectrogram(fft_length=8, sequence_length=9), "fft_length must be at least"),
        (lambda: initializers.STFT("both"), "side: expected one of"),
    ],
)
def test_wrong_options_are_named(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()


def test_signals_too_short_are_refused():
    with pytest.raises(ShapeError, match="256 steps at least, received 9"):
        layers.STFTSpectrogram()(np.zeros((1, 9, 1)))
