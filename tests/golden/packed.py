"""Many small arrays in one .npz: a flat array of numbers, and a JSON index of names and shapes.

A member of an .npz each would cost more than the numbers.
"""

import json
import math
from pathlib import Path

import numpy as np


def save(path: Path, arrays: dict[str, np.ndarray], cases: list[dict[str, object]]) -> None:
    """Write float64 arrays and the cases that they belong to."""
    index = {name: list(np.shape(array)) for name, array in arrays.items()}
    numbers = np.concatenate([np.ravel(np.asarray(array, np.float64)) for array in arrays.values()])
    text = json.dumps({"index": index, "cases": cases})
    np.savez_compressed(path, numbers=numbers, text=np.frombuffer(text.encode(), np.uint8))


def load(path: Path) -> tuple[dict[str, np.ndarray], list[dict[str, object]]]:
    """Read what ``save`` wrote."""
    with np.load(path) as file:
        numbers, text = file["numbers"], json.loads(file["text"].tobytes())
    arrays, at = {}, 0
    for name, shape in text["index"].items():
        size = math.prod(shape)
        arrays[name] = numbers[at : at + size].reshape(shape)
        at += size
    return arrays, text["cases"]
