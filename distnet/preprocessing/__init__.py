"""Images and sequences made ready for training, by Keras's names."""

from __future__ import annotations

from distnet.absent import because, names_elsewhere
from distnet.preprocessing import image as image
from distnet.preprocessing import sequence as sequence
from distnet.preprocessing import text as text

PIPELINE = (
    "data pipelines are TensorFlow's. Read the files with NumPy or ImageDataGenerator, and pass arrays or a PyDataset."
)
"""Why Keras's datasets of files are not here."""

__getattr__ = names_elsewhere(
    __name__,
    absent=because(PIPELINE, "image_dataset_from_directory text_dataset_from_directory timeseries_dataset_from_array"),
)
