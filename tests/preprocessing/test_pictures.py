from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from distnet.errors import ArgumentError, DatasetError, MissingPackageError, ShapeError
from distnet.preprocessing.image import array_to_img, img_to_array, load_img, save_img, smart_resize

X = np.random.default_rng(0).integers(0, 256, (6, 9, 3)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_an_array_comes_back_from_a_picture(tmp_path, channels, data_format):
    x = np.random.default_rng(0).integers(0, 256, (6, 9, channels)).astype(np.float32)
    x = np.moveaxis(x, -1, 0) if data_format == "channels_first" else x
    save_img(tmp_path / "a.png", x, data_format, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    found = img_to_array(load_img(tmp_path / "a.png", mode), data_format)
    np.testing.assert_array_equal(found, x)
    assert found.dtype == np.float32


def test_values_are_stretched_to_8_bits():
    img = array_to_img(np.linspace(-1, 1, 12).reshape(3, 4, 1))
    assert (np.asarray(img).min(), np.asarray(img).max(), img.mode) == (0, 255, "L")
    assert np.asarray(array_to_img(np.full((2, 2, 3), 7.0))).max() == 0


def test_grey_values_beyond_8_bits_are_kept():
    assert img_to_array(array_to_img(np.full((2, 2, 1), 1000.0), scale=False)).max() == 1000


def test_sizes(tmp_path):
    save_img(tmp_path / "a.png", X, scale=False)
    assert load_img(str(tmp_path / "a.png")).size == (9, 6)
    np.testing.assert_array_equal(img_to_array(load_img(tmp_path / "a.png", target_size=(3, 3))), X[1::2, 1::3])
    kept = img_to_array(load_img(tmp_path / "a.png", target_size=(6, 6), keep_aspect_ratio=True))
    np.testing.assert_array_equal(kept, X[:, 1:7])
    whole = load_img(io.BytesIO((tmp_path / "a.png").read_bytes()), target_size=(12, 18), interpolation="lanczos")
    assert whole.size == (18, 12)


def test_jpeg_drops_transparency(tmp_path):
    save_img(tmp_path / "a.jpg", np.concatenate([X, X[..., :1]], -1))
    assert load_img(tmp_path / "a.jpg", "rgba").mode == "RGBA"


@pytest.mark.parametrize(
    ("options", "message"),
    [({"color_mode": "hsv"}, "color_mode of .* 'hsv'"), ({"interpolation": "cubic"}, "interpolation of .* 'cubic'")],
)
def test_wrong_options_are_named(tmp_path, options, message):
    with pytest.raises(ArgumentError, match=message):
        load_img(tmp_path / "a.png", **options)


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"three axes, received an array of shape \(2, 2\)"):
        array_to_img(np.ones((2, 2)))
    with pytest.raises(ShapeError, match="1, 3 or 4 channels, received 2"):
        array_to_img(np.ones((2, 2, 2)))
    with pytest.raises(ShapeError, match="two or three axes"):
        img_to_array(np.ones(3))
    with pytest.raises(ArgumentError, match="data_format"):
        img_to_array(X, "last")


def test_a_missing_or_truncated_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"load_img: .*a\.png: there is no such file"):
        load_img(tmp_path / "a.png")
    save_img(tmp_path / "a.png", X)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:90])
    with pytest.raises(DatasetError, match=r"a\.png: cannot be read as a picture"):
        load_img(tmp_path / "a.png")


def test_without_pillow_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingPackageError, match=r"Pillow.*pip install 'distnet\[images\]'"):
        load_img("a.png")
    with pytest.raises(ImportError, match="Pillow"):
        array_to_img(X)


def test_integers_are_resized_as_real_numbers_unless_the_nearest_are_taken():
    """As in Keras 3.15."""
    x = np.arange(60, dtype="uint8").reshape(4, 5, 3) * 4
    made = smart_resize(x, (3, 3))
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, smart_resize(x.astype("float32"), (3, 3)), rtol=1e-6)
    assert smart_resize(x, (3, 3), interpolation="nearest").dtype == np.uint8
    assert smart_resize(x.tolist(), (3, 3)).dtype == np.float32
