"""What Keras users import from ``keras.utils``."""

from __future__ import annotations

from distnet.models.plotting import model_to_dot as model_to_dot
from distnet.models.plotting import plot_model as plot_model
from distnet.preprocessing.image import array_to_img as array_to_img
from distnet.preprocessing.image import img_to_array as img_to_array
from distnet.preprocessing.image import load_img as load_img
from distnet.preprocessing.image import save_img as save_img
from distnet.preprocessing.sequence import pad_sequences as pad_sequences
from distnet.random import set_random_seed as set_random_seed
from distnet.registry import custom_object_scope as custom_object_scope
from distnet.registry import get_custom_objects as get_custom_objects
from distnet.registry import register_keras_serializable as register_keras_serializable
from distnet.utils import data_utils as data_utils
from distnet.utils import generic_utils as generic_utils
from distnet.utils import np_utils as np_utils
from distnet.utils import vis_utils as vis_utils
from distnet.utils.data_utils import PyDataset as PyDataset
from distnet.utils.data_utils import Sequence as Sequence
from distnet.utils.data_utils import get_file as get_file
from distnet.utils.generic_utils import Progbar as Progbar
from distnet.utils.gradients import check_gradients as check_gradients
from distnet.utils.numerical import normalize as normalize
from distnet.utils.numerical import to_categorical as to_categorical

CustomObjectScope = custom_object_scope
"""Keras's other name of ``custom_object_scope``."""
