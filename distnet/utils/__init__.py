"""What Keras users import from ``keras.utils``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from distnet.absent import because, names_elsewhere
from distnet.errors import DataError
from distnet.late_rooms import homes, late_names
from distnet.old_paths import old_paths

if TYPE_CHECKING:
    from distnet.addresses import set_random_seed as set_random_seed
    from distnet.backend import clear_session as clear_session
    from distnet.backend import is_keras_tensor as is_keras_tensor
    from distnet.backend import standardize_dtype as standardize_dtype
    from distnet.config import disable_interactive_logging as disable_interactive_logging
    from distnet.config import enable_interactive_logging as enable_interactive_logging
    from distnet.config import is_interactive_logging_enabled as is_interactive_logging_enabled
    from distnet.models.plotting import model_to_dot as model_to_dot
    from distnet.models.plotting import plot_model as plot_model
    from distnet.preprocessing.audio_dataset import audio_dataset_from_directory as audio_dataset_from_directory
    from distnet.preprocessing.image import array_to_img as array_to_img
    from distnet.preprocessing.image import img_to_array as img_to_array
    from distnet.preprocessing.image import load_img as load_img
    from distnet.preprocessing.image import save_img as save_img
    from distnet.preprocessing.image_dataset import image_dataset_from_directory as image_dataset_from_directory
    from distnet.preprocessing.sequence import pad_sequences as pad_sequences
    from distnet.preprocessing.split_dataset import split_dataset as split_dataset
    from distnet.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
    from distnet.preprocessing.timeseries_dataset import timeseries_dataset_from_array as timeseries_dataset_from_array
    from distnet.registry import CustomObjectScope as CustomObjectScope
    from distnet.registry import custom_object_scope as custom_object_scope
    from distnet.registry import get_custom_objects as get_custom_objects
    from distnet.registry import register_keras_serializable as register_keras_serializable
    from distnet.saving.objects import deserialize_keras_object as deserialize_keras_object
    from distnet.saving.objects import get_registered_name as get_registered_name
    from distnet.saving.objects import get_registered_object as get_registered_object
    from distnet.saving.objects import serialize_keras_object as serialize_keras_object
    from distnet.utils import bounding_boxes as bounding_boxes
    from distnet.utils import conv_utils as conv_utils
    from distnet.utils import data_utils as data_utils
    from distnet.utils import generic_utils as generic_utils
    from distnet.utils import io_utils as io_utils
    from distnet.utils import layer_utils as layer_utils
    from distnet.utils.data_utils import PyDataset as PyDataset
    from distnet.utils.data_utils import Sequence as Sequence
    from distnet.utils.data_utils import get_file as get_file
    from distnet.utils.feature_space import FeatureSpace as FeatureSpace
    from distnet.utils.generic_utils import Progbar as Progbar
    from distnet.utils.gradients import check_gradients as check_gradients
    from distnet.utils.layer_utils import get_source_inputs as get_source_inputs
    from distnet.utils.layer_utils import print_summary as print_summary
    from distnet.utils.named_values import Config as Config
    from distnet.utils.numerical import normalize as normalize
    from distnet.utils.numerical import to_categorical as to_categorical

_HOMES = homes(
    "distnet",
    {
        "addresses": "set_random_seed",
        "config": "disable_interactive_logging enable_interactive_logging is_interactive_logging_enabled",
        "registry": "CustomObjectScope custom_object_scope get_custom_objects register_keras_serializable",
        "backend": "clear_session is_keras_tensor standardize_dtype",
        "models.plotting": "model_to_dot plot_model",
        "preprocessing.audio_dataset": "audio_dataset_from_directory",
        "preprocessing.image": "array_to_img img_to_array load_img save_img",
        "preprocessing.image_dataset": "image_dataset_from_directory",
        "preprocessing.sequence": "pad_sequences",
        "preprocessing.split_dataset": "split_dataset",
        "preprocessing.text_dataset": "text_dataset_from_directory",
        "preprocessing.timeseries_dataset": "timeseries_dataset_from_array",
        "saving.objects": "deserialize_keras_object get_registered_name get_registered_object serialize_keras_object",
        "utils": "bounding_boxes conv_utils data_utils generic_utils io_utils layer_utils",
        "utils.data_utils": "PyDataset Sequence get_file",
        "utils.feature_space": "FeatureSpace",
        "utils.generic_utils": "Progbar",
        "utils.gradients": "check_gradients",
        "utils.layer_utils": "get_source_inputs print_summary",
        "utils.named_values": "Config",
        "utils.numerical": "normalize to_categorical",
    },
)
"""Names that are imported when they are first asked for, as above for who checks types."""

_THREADS = "batches are drawn by fit itself. Pass the generator or the Sequence to fit."
_GPUS = "distnet uses ranks, not GPUs. Leave it out, and start the script with mpirun -n N."

_elsewhere = names_elsewhere(
    __name__,
    ["saving"],
    {
        **because(_THREADS, "OrderedEnqueuer GeneratorEnqueuer SequenceEnqueuer"),
        **because(_GPUS, "multi_gpu_model"),
        **because("read the dataset with h5py: h5py.File(path)[dataset][start:end].", "HDF5Matrix"),
        **because("use to_categorical and NumPy.", "get_test_data keras_test"),
        **because("load the model with load_model, which flips kernels.", "convert_all_kernels_in_model"),
    },
)
__getattr__, __dir__ = late_names(__name__, _HOMES, _elsewhere)

__all__ = [*_HOMES, "pack_x_y_sample_weight", "unpack_x_y_sample_weight"]

old_paths(__name__, "all_utils dataset_utils image_utils losses_utils metrics_utils multi_gpu_utils np_utils", "utils")
old_paths(__name__, "numerical_utils python_utils test_utils tf_utils training_utils vis_utils", "utils")
old_paths(__name__, "legacy", "saving.objects_of_keras_2")
old_paths(__name__, "visualize_util", "models.plotting")


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """``x``, ``(x, y)`` or ``(x, y, sample_weight)``: what a data source yields.

    Source: ``keras.utils.pack_x_y_sample_weight``.
    """
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """``(x, y, sample_weight)`` from what a data source yields; None for what is missing.

    Raises:
        DataError: there are more than three parts.

    Source: ``keras.utils.unpack_x_y_sample_weight``.
    """
    parts = tuple(data) if isinstance(data, list | tuple) else (data,)
    if not 1 <= len(parts) <= 3:
        raise DataError(f"expected (x,), (x, y) or (x, y, sample_weight), received {len(parts)} parts.")
    return (*parts, *(None,) * (3 - len(parts)))
