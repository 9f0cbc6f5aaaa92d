"""Models in files that Keras reads, written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import because, names_elsewhere
from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.registry import CustomObjectScope as CustomObjectScope
    from distnet.registry import custom_object_scope as custom_object_scope
    from distnet.registry import get_custom_objects as get_custom_objects
    from distnet.registry import register_keras_serializable as register_keras_serializable
    from distnet.saving.background import CheckpointPath as CheckpointPath
    from distnet.saving.model_file import load_model as load_model
    from distnet.saving.model_file import restore_training as restore_training
    from distnet.saving.model_file import save_model as save_model
    from distnet.saving.objects import deserialize_keras_object as deserialize_keras_object
    from distnet.saving.objects import get_registered_name as get_registered_name
    from distnet.saving.objects import get_registered_object as get_registered_object
    from distnet.saving.objects import serialize_keras_object as serialize_keras_object
    from distnet.saving.weights_file import load_weights as load_weights
    from distnet.saving.weights_file import save_weights as save_weights

_HOMES = homes(
    "distnet",
    {
        "registry": "CustomObjectScope custom_object_scope get_custom_objects register_keras_serializable",
        "saving.background": "CheckpointPath",
        "saving.model_file": "load_model restore_training save_model",
        "saving.objects": "deserialize_keras_object get_registered_name get_registered_object serialize_keras_object",
        "saving.weights_file": "load_weights save_weights",
    },
)
"""Names that are imported when they are first asked for, as above for who checks types."""

_elsewhere = names_elsewhere(
    __name__,
    absent=because("open the file with h5py, or let 'distnet inspect' show it.", "KerasFileEditor"),
)

__getattr__, __dir__ = late_names(__name__, _HOMES, _elsewhere)

__all__ = [*_HOMES]
