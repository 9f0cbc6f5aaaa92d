"""Images, sequences and datasets of files made ready for training, by Keras's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.preprocessing import image as image
    from distnet.preprocessing import sequence as sequence
    from distnet.preprocessing import text as text
    from distnet.preprocessing.image_dataset import image_dataset_from_directory as image_dataset_from_directory
    from distnet.preprocessing.text_dataset import text_dataset_from_directory as text_dataset_from_directory
    from distnet.preprocessing.timeseries_dataset import timeseries_dataset_from_array as timeseries_dataset_from_array

_HOMES = homes(
    "distnet",
    {
        "preprocessing": "image sequence text",
        "preprocessing.image_dataset": "image_dataset_from_directory",
        "preprocessing.text_dataset": "text_dataset_from_directory",
        "preprocessing.timeseries_dataset": "timeseries_dataset_from_array",
    },
)
__getattr__, __dir__ = late_names(__name__, _HOMES)

__all__ = [*_HOMES]
