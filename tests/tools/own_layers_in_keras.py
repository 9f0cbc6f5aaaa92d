"""Run by a Python that has Keras 3 and JAX: the layers of ``own_layers``, trained, saved, and read from our files.

    python own_layers_in_keras.py FOLDER STEPS

``FOLDER/answers.pickle`` has, for each case, losses, predictions, weights, their paths, and what was read of our files.
``FOLDER/frozen.pickle`` has what ``frozen_layers`` asks.
"""

import os
import pickle
import sys
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from frozen_layers import frozen
from own_layers import layers_of, models_of, trained

if __name__ == "__main__":
    folder, steps = Path(sys.argv[1]), int(sys.argv[2])
    own = layers_of(keras)
    answers = {}
    for name, (make, x) in models_of(keras, own).items():
        model, losses, y = trained(keras, make, x, steps)
        weights, paths = model.get_weights(), [w.path for w in model.weights]
        for ending in ("keras", "h5"):
            model.save(folder / f"keras {name}.{ending}")
        model.save_weights(folder / f"keras {name}.weights.h5")
        read = {}
        for ending in ("keras", "h5"):
            loaded = keras.saving.load_model(folder / f"ours {name}.{ending}", own, compile=False)
            read[ending] = np.asarray(loaded.predict(x, verbose=0, batch_size=8))
        model.load_weights(folder / f"ours {name}.weights.h5")
        read["weights.h5"] = np.asarray(model.predict(x, verbose=0, batch_size=8))
        answers[name] = losses, y, weights, paths, read
    (folder / "answers.pickle").write_bytes(pickle.dumps(answers))
    (folder / "frozen.pickle").write_bytes(pickle.dumps(frozen(keras)))
