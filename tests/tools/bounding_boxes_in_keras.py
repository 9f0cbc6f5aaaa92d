"""Run by a Python that has Keras 3: what its functions of bounding boxes, and its layers, make of boxes.

    python bounding_boxes_in_keras.py CASES ANSWERS

``CASES`` is a pickle of ``(functions, layers)``. Each function is its name, its arguments and those by name; each
layer its name, its options, the boxes and what was drawn. ``ANSWERS`` is a pickle of the same two lists of results.
"""

import pickle
import sys
from pathlib import Path

import keras
import numpy as np


def as_arrays(value):
    if isinstance(value, dict):
        return {key: as_arrays(part) for key, part in value.items()}
    return np.asarray(value)


def of_function(name, args, options):
    return getattr(keras.utils.bounding_boxes, name)(*args, **options)


def of_layer(name, options, boxes, drawn):
    layer = getattr(keras.layers, name)(**options)
    boxes = {key: keras.ops.convert_to_tensor(part) for key, part in boxes.items()}
    return layer.transform_bounding_boxes(boxes, drawn, training=True)


if __name__ == "__main__":
    functions, layers = pickle.loads(Path(sys.argv[1]).read_bytes())
    answers = [as_arrays(of_function(*case)) for case in functions], [as_arrays(of_layer(*case)) for case in layers]
    Path(sys.argv[2]).write_bytes(pickle.dumps(answers))
