"""Every name of Keras's modules is in distnet, or can be imported and says why it is not when it is used."""

from __future__ import annotations

import importlib
import types
from pathlib import Path

import pytest

import distnet
from distnet.absent import Absent
from distnet.errors import AbsentError

KERAS_2_UTILS = """
    CustomObjectScope GeneratorEnqueuer HDF5Matrix OrderedEnqueuer Progbar Sequence SequenceEnqueuer conv_utils
    convert_all_kernels_in_model custom_object_scope data_utils generic_utils get_custom_objects get_file io_utils
    layer_utils model_to_dot multi_gpu_model normalize np_utils plot_model print_summary to_categorical vis_utils
"""
PATHS = {
    "backend.tensorflow_backend": "set_session clear_session int_shape",
    "engine": "Layer Input InputLayer Model",
    "engine.base_layer": "Layer InputSpec",
    "engine.functional": "Model",
    "engine.input_layer": "Input InputLayer",
    "engine.keras_tensor": "KerasTensor",
    "engine.network": "Model",
    "engine.sequential": "Sequential",
    "engine.topology": "Layer Input InputSpec",
    "engine.training": "Model slice_X slice_arrays",
    "initializations": "get normal uniform zero one glorot_normal",
    "optimizers": "adadelta adagrad adam adamax nadam rmsprop sgd adam_v2 gradient_descent_v2 rmsprop_v2",
    "layers.convolutional_recurrent": "ConvLSTM2D",
    "layers.cudnn_recurrent": "CuDNNGRU CuDNNLSTM",
    "layers.experimental": "RandomFlip",
    "layers.experimental.preprocessing": "Rescaling RandomFlip Resizing",
    "layers.local": "LocallyConnected1D",
    "layers.merging": "Add Concatenate",
    "objectives": "mean_squared_error categorical_crossentropy",
    "utils.layer_utils": "count_params print_summary",
    "utils.numerical_utils": "to_categorical normalize",
    "utils.visualize_util": "plot",
}


@pytest.mark.parametrize("path", PATHS)
def test_old_paths_lead_to_the_names(path):
    module = importlib.import_module(f"distnet.{path}")
    assert [name for name in PATHS[path].split() if not hasattr(module, name)] == []


def test_keras_2s_utilities_are_present_or_absent_with_a_reason():
    assert [name for name in KERAS_2_UTILS.split() if not hasattr(distnet.utils, name)] == []


@pytest.mark.parametrize(
    ("use", "reason"),
    [
        (lambda: distnet.backend.get_session(), "keras.backend.get_session is not in distnet: it is TensorFlow's"),
        (lambda: distnet.backend.tensorflow_backend.set_session(None), "it is TensorFlow's"),
        (lambda: distnet.backend.tf.Session(), "keras.backend.tf.Session is not in distnet"),
        (lambda: distnet.models.model_from_yaml(""), "Write to_json"),
        (lambda: distnet.utils.multi_gpu_model(None, 2), "mpirun -n N"),
        (lambda: distnet.layers.FlaxLayer(None), "another framework's code"),
        (lambda: types.new_class("Mine", (distnet.layers.SReLU,)), "Use PReLU"),
        (lambda: distnet.mixed_precision.set_global_policy("mixed_float16"), "no mixed precision"),
        (lambda: distnet.config.set_backend("jax"), "NumPy alone"),
    ],
)
def test_what_is_absent_says_why_when_it_is_used(use, reason):
    with pytest.raises(AbsentError, match=reason):
        use()


def test_nothing_is_an_instance_of_an_absent_class():
    assert isinstance(distnet.layers.SReLU, Absent)
    assert not isinstance(distnet.layers.Dense(1), distnet.layers.SReLU)


def test_a_name_that_no_keras_has_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Dens'"):
        distnet.layers.Dens  # noqa: B018


def test_no_layer_that_is_there_is_listed_as_absent():
    source = Path(distnet.layers.__file__).read_text(encoding="utf-8")
    listed = source[source.index("because(_NOT_YET") : source.index("because(_OTHERS")].split()
    names = [name for name in listed if name.isalnum() and name[0].isupper()]
    assert len(names) > 2
    assert [name for name in names if not isinstance(getattr(distnet.layers, name), Absent)] == []


def test_the_only_device_is_the_cpu():
    for name in ("cpu", "CPU:0", "cpu:3"):
        with distnet.device(name):
            assert distnet.ops.sum([1.0, 2.0]) == 3
    for name in ("gpu:0", "cpu0", "", None):
        with pytest.raises(AbsentError, match="computes on CPUs"):
            distnet.device(name)
