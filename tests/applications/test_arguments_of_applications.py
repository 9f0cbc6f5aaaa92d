"""What applications refuse, where their weights come from, and what is done to pixels and predictions."""

from __future__ import annotations

import importlib
import json
import pickle
import sys

import numpy as np
import pytest

import distnet
from distnet import allocation, applications, config, layers
from distnet.applications import imagenet_utils, mobilenet_v2
from distnet.errors import ArgumentError, DatasetError, ShapeError

TINY = {"alpha": 0.35, "input_shape": (32, 32, 3), "classes": 3}


def test_a_network_is_found_by_every_path_of_keras():
    for module, name in (
        *(("vgg16", "VGG16"), ("vgg19", "VGG19"), ("resnet", "ResNet101"), ("resnet50", "ResNet50")),
        *(("resnet_v2", "ResNet152V2"), ("efficientnet_v2", "EfficientNetV2L"), ("nasnet", "NASNetLarge")),
    ):
        room = importlib.import_module(f"distnet.applications.{module}")
        assert getattr(room, name) is getattr(applications, name)
        assert getattr(applications, name).__name__ == name
        assert callable(room.preprocess_input)
        assert callable(room.decode_predictions)
    assert applications.mobilenet.DepthwiseConv2D is layers.DepthwiseConv2D


def test_a_network_and_its_scaling_go_to_other_processes():
    names = [name for name in dir(applications) if name[0].isupper()]
    for make in (getattr(applications, name) for name in names):
        family = sys.modules[make.__module__]
        for function in (make, family.preprocess_input):
            assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize(
    ("make", "options", "says"),
    [
        ("ResNet50", {"weights": "no/such/file.h5"}, "weights: expected None, 'imagenet' or the path"),
        ("VGG16", {"weights": "imagenet", "classes": 10}, "classes: expected 1000"),
        ("VGG16", {"weights": None, "input_shape": (20, 20, 3)}, "at least 32x32"),
        ("Xception", {"weights": None, "input_shape": (64, 64, 3)}, "at least 71x71"),
        ("InceptionV3", {"weights": None, "input_shape": (64, 64)}, "three integers"),
        ("DenseNet121", {"weights": None, "input_shape": (None, None, 3)}, "known extents with include_top=True"),
        ("ResNet50", {"weights": "imagenet", "input_shape": (64, 64, 3)}, r"expected \(224, 224, 3\)"),
        ("ResNet50", {"weights": "imagenet", "include_top": False, "input_shape": (64, 64, 1)}, "3 channels"),
        ("MobileNet", {"weights": "imagenet", "alpha": 0.3}, "alpha one of"),
        ("MobileNetV2", {"weights": "imagenet", "alpha": 0.3}, "alpha: expected one of"),
        ("MobileNetV3Large", {"weights": "imagenet", "minimalistic": True, "alpha": 0.75}, "alpha: expected one of"),
        ("MobileNetV3Small", {"weights": None, "input_shape": (16, 16, 3)}, "at least 32x32"),
        ("EfficientNetB0", {"weights": "imagenet", "classifier_activation": "relu"}, "None or 'softmax'"),
        ("ConvNeXtTiny", {"weights": None, "pooling": "mean"}, "pooling: expected one of"),
        ("NASNetMobile", {"include_top": False, "input_shape": (None, None, 3)}, "known extents"),
        ("VGG19", {"weights": None, "input_tensor": np.zeros((1, 32, 32, 3))}, "input_tensor: expected what"),
    ],
)
def test_wrong_arguments_are_refused(make, options, says):
    with pytest.raises((ArgumentError, ShapeError), match=f"^{make}: .*{says}"):
        getattr(applications, make)(**options)


def test_an_input_shape_must_fit_the_input_tensor():
    with pytest.raises(ShapeError, match="that fits input_tensor"):
        applications.MobileNetV2(weights=None, input_shape=(64, 64, 3), input_tensor=distnet.Input((96, 96, 3)))


def test_channels_first_is_refused_where_keras_refuses_it():
    config.set_image_data_format("channels_first")
    try:
        for make in ("DenseNet121", "NASNetMobile", "ConvNeXtTiny"):
            with pytest.raises(ArgumentError, match="channels_last"):
                getattr(applications, make)(weights=None)
        model = applications.MobileNetV2(weights=None, input_shape=(3, 32, 32), alpha=0.35, include_top=False)
        assert model.output_shape == (None, 1280, 1, 1)
    finally:
        config.set_image_data_format("channels_last")


def test_unusual_channels_warn():
    with pytest.warns(UserWarning, match="usually have 1 or 3 channels"):
        imagenet_utils.obtain_input_shape((40, 40, 5), 224, 32, None, require_flatten=False)


def test_a_network_may_start_from_another_models_tensor():
    start = distnet.Input((40, 40, 1))
    colours = layers.Conv2D(3, 1)(start)
    model = applications.MobileNetV2(weights=None, alpha=0.35, input_tensor=colours, include_top=False, pooling="max")
    assert model.input_shape == (None, 40, 40, 1)
    assert [layer.name for layer in model.layers[1:3]] == [model.layers[1].name, "Conv1"]
    assert model.predict(np.zeros((2, 40, 40, 1)), verbose=0).shape == (2, 1280)


def test_a_model_without_top_has_another_head_put_on_it():
    base = applications.MobileNetV2(weights=None, include_top=False, pooling="avg", **{**TINY, "classes": 1000})
    base.trainable = False
    model = distnet.Sequential([base, layers.Dense(2)])
    model.compile("sgd", "mse")
    before = base.get_weights()
    model.fit(np.ones((4, 32, 32, 3)), np.ones((4, 2)), epochs=1, verbose=0)
    assert len(model.trainable_weights) == 2
    for old, new in zip(before, base.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_weights_of_a_path_are_loaded_by_each_kind_of_file(tmp_path):
    model = applications.MobileNetV2(weights=None, **TINY)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    expected = model.predict(x, verbose=0)
    for name in ("a.weights.h5", "a.h5", "a.keras"):
        path = tmp_path / name
        model.save_weights(path) if name == "a.weights.h5" else model.save(path)
        loaded = applications.MobileNetV2(weights=path, **TINY)
        np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)


def test_other_heads_weights_are_skipped_by_name(tmp_path):
    applications.MobileNetV2(weights=None, **TINY).save(tmp_path / "a.h5")
    other = applications.MobileNetV2(weights=None, **{**TINY, "classes": 5})
    head = other.layers[-1].get_weights()
    with pytest.warns(UserWarning, match="predictions"):
        other.load_weights(tmp_path / "a.h5", by_name=True, skip_mismatch=True)
    np.testing.assert_array_equal(other.layers[-1].get_weights()[0], head[0])


def published(monkeypatch, home, model, name):
    """Weights of a model, where DISTNET_DATA has them."""
    folder = home / "data" / "models"
    folder.mkdir(parents=True)
    model.save_weights(folder / "x.h5")
    (folder / "x.h5").rename(folder / name)
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))


def test_published_weights_are_read_from_the_users_folder(home, monkeypatch):
    options = {"alpha": 0.35, "input_shape": (96, 96, 3), "include_top": False}
    model = applications.MobileNetV2(weights=None, **options)
    published(monkeypatch, home, model, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5")
    loaded = applications.MobileNetV2(**options)
    for own, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, theirs)


@pytest.mark.parametrize(
    ("make", "file"),
    [
        ("ResNet50", "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"),
        ("NASNetMobile", "nasnet/NASNet-mobile.h5"),
        ("EfficientNetB0", "efficientnetb0.h5"),
        ("MobileNetV3Small", "mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float.h5"),
        ("ConvNeXtTiny", "convnext/convnext_tiny.h5"),
    ],
)
@pytest.mark.filterwarnings("ignore:input_shape. there are no ImageNet weights")
def test_offline_an_error_says_where_to_put_which_file(home, make, file):
    with pytest.raises(DatasetError) as caught:
        getattr(applications, make)()
    for part in (file, "cannot be downloaded", "DISTNET_DATA", "subfolder models/", f"{home}/.cache/distnet/models/"):
        assert part in str(caught.value)


def golden_pixels(mode, x):
    """As Keras's documentation says."""
    if mode == "tf":
        return x / 127.5 - 1
    if mode == "torch":
        return (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    return x[..., ::-1] - [103.939, 116.779, 123.68]


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
@pytest.mark.parametrize("rows", [(), (2,)])
def test_pixels_are_scaled_as_the_weights_expect(mode, rows):
    x = np.random.default_rng(0).integers(0, 256, (*rows, 3, 4, 3))
    expected = golden_pixels(mode, x.astype("float64"))
    given = x.copy()
    scaled = imagenet_utils.preprocess_input(given, mode=mode)
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(given, x)
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-5)
    first = np.moveaxis(x, -1, -3).astype("float64")
    of_first = imagenet_utils.preprocess_input(first, data_format="channels_first", mode=mode)
    np.testing.assert_allclose(np.moveaxis(of_first, -3, -1), expected, rtol=1e-12, atol=1e-10)
    tensor = imagenet_utils.preprocess_input(distnet.ops.convert_to_tensor(x.astype("float32")), mode=mode)
    np.testing.assert_allclose(distnet.ops.convert_to_numpy(tensor), expected, rtol=1e-5, atol=1e-4)


def test_floats_are_scaled_in_place_as_in_keras():
    x = np.full((2, 2, 3), 255.0)
    assert mobilenet_v2.preprocess_input(x) is x
    np.testing.assert_array_equal(x, 1.0)


def test_pixels_are_scaled_within_a_model():
    start = distnet.Input((3, 4, 3))
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, 4, 3)).astype("float32")
    for module, mode in ((applications.resnet, "caffe"), (applications.densenet, "torch"), (mobilenet_v2, "tf")):
        model = distnet.Model(start, module.preprocess_input(start))
        np.testing.assert_allclose(model.predict(x, verbose=0), golden_pixels(mode, x), rtol=1e-5, atol=1e-4)
    assert applications.efficientnet.preprocess_input(x) is x


def test_wrong_modes_are_refused():
    with pytest.raises(ArgumentError, match="mode: expected one of"):
        imagenet_utils.preprocess_input(np.zeros((2, 2, 3)), mode="keras")


def test_predictions_are_named(home, monkeypatch):
    imagenet_utils._class_names.cache_clear()
    with pytest.raises(DatasetError, match="imagenet_class_index.json"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))
    folder = home / "data" / "models"
    folder.mkdir(parents=True)
    names = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}
    (folder / "imagenet_class_index.json").write_text(json.dumps(names))
    monkeypatch.setenv("DISTNET_DATA", str(home / "data"))
    scores = np.zeros((2, 1000), "float32")
    scores[0, [7, 30]], scores[1, 999] = (0.25, 0.5), 1.0
    first, second = applications.vgg16.decode_predictions(scores, top=2)
    assert first == [("n00000030", "thing_30", 0.5), ("n00000007", "thing_7", 0.25)]
    assert second[0] == ("n00000999", "thing_999", 1.0)
    with pytest.raises(ShapeError, match=r"\(samples, 1000\)"):
        imagenet_utils.decode_predictions(np.zeros((1, 10)))
    imagenet_utils._class_names.cache_clear()


def test_waiting_for_a_file_draws_nothing():
    with allocation.awaiting(sys.maxsize):
        model = applications.MobileNetV2(weights=None, **TINY)
    assert not np.any(model.layers[1].get_weights()[0])
