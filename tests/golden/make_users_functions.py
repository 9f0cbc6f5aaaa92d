"""Write users_functions.json: histories of Keras on JAX with losses, metrics ... that users write.

Run with Keras 3.15 and JAX installed: ``python make_users_functions.py``. The cases are in ``users_functions.py``.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras

from users_functions import results

if __name__ == "__main__":
    made = {
        name: {key: [float(f"{v:.8g}") for v in values] for key, values in history.items()}
        for name, history in results(keras).items()
    }
    Path(__file__).with_suffix(".json").with_name("users_functions.json").write_text(json.dumps(made, indent=0) + "\n")
