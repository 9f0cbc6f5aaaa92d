"""Numbers and a text of Keras 3 for the cases of ``tests/tools/operation_cases.py``; writes ``operations.npz``.

python make_operations.py
"""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import numpy as np

import operation_cases


def main():
    import keras

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = operation_cases.model(keras, with_mask=True)
    trained = operation_cases.trained(keras, model)
    arrays = {f"y {name}": y for name, y in zip(operation_cases.CASES, trained["y"], strict=True)}
    for layer, weights in trained["weights"].items():
        arrays |= {f"w {layer} {i}": weight for i, weight in enumerate(weights)}
    text = np.frombuffer(model.to_json().encode(), np.uint8)
    np.savez_compressed(Path(__file__).parent / "operations.npz", losses=trained["losses"], text=text, **arrays)


if __name__ == "__main__":
    main()
