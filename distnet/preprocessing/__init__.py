"""Images, sequences and datasets of files made ready for training, by Keras's names."""

from __future__ import annotations

from distnet.preprocessing import image as image
from distnet.preprocessing import sequence as sequence
from distnet.preprocessing import text as text
from distnet.preprocessing.image_dataset import image_dataset_from_directory as image_dataset_from_directory
from distnet.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
from distnet.preprocessing.timeseries_dataset import timeseries_dataset_from_array as timeseries_dataset_from_array
