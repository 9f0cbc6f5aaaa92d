"""Writes image_changes.npz beside this file: what Keras's layers draw for images, and do to them with that, on JAX.

python tests/golden/make_image_changes.py
"""

import inspect
import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
sys.path.insert(0, str(Path(__file__).parent))

import keras
import numpy as np

import packed
from image_change_cases import CASES, FIRST

HEIGHT, WIDTH = 9, 12


def images(options, kind):
    """Images of the case's range of values, with one channel that is all alike."""
    low, high = options.get("value_range", (0, 255))
    x = np.random.default_rng(0).uniform(low, high, (4, HEIGHT, WIDTH, 3))
    x[..., 1] = low + 0.4 * (high - low)
    x = x.astype(kind)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if options.get("data_format") == FIRST else x


def masks(options):
    m = np.random.default_rng(1).integers(0, 5, (4, HEIGHT, WIDTH, 1)).astype("float32")
    return np.ascontiguousarray(m.transpose(0, 3, 1, 2)) if options.get("data_format") == FIRST else m


def described(value, arrays):
    """A structure with the names of arrays, which are kept, in their places."""
    if isinstance(value, dict):
        return {key: described(part, arrays) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [described(part, arrays) for part in value]
    if hasattr(value, "shape"):
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name, "dtype": str(np.asarray(value).dtype)}
    return value


def recorded(name, options, kind, parts, arrays):
    layer = getattr(keras.layers, name)(**options)
    data = {"images": images(options, kind), "segmentation_masks": masks(options)}
    data["labels"] = np.eye(4, dtype="float32")
    keras.utils.set_random_seed(1)
    drawn = layer.get_random_transformation(data["images"], training=True)
    made = {}
    for part in parts:
        method = getattr(layer, f"transform_{part}")
        made[part] = method(keras.ops.convert_to_tensor(data[part]), drawn, training=True)
    data = {part: data[part] for part in parts}
    return {
        "layer": name,
        "options": options,
        "data": described(data, arrays),
        "drawn": described(drawn, arrays),
        "made": described(made, arrays),
    }


def main():
    arrays, cases = {}, []
    for name, options, parts in CASES:
        takes = inspect.signature(getattr(keras.layers, name).__init__).parameters
        for given in ({}, {"data_format": FIRST}, {"value_range": (-1, 1)}, {"kind": "uint8"}):
            kind = given.get("kind", "float32")
            more = {key: value for key, value in given.items() if key != "kind"}
            if all(key in takes or key == "data_format" for key in more) and (name, kind) != (
                "RandomSaturation",
                "uint8",
            ):
                cases.append(recorded(name, {**options, **more}, kind, parts, arrays))
    packed.save(Path(__file__).with_name("image_changes.npz"), arrays, cases)


if __name__ == "__main__":
    main()
