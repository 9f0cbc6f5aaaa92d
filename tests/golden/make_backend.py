"""What functions of Keras 2's backend give: python make_backend.py, with Keras 2.10 and TensorFlow 2.10."""

import sys
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    here = Path(__file__).parent
    sys.path.insert(0, str(here.parent / "tools"))
    import tensorflow as tf
    from keras import backend

    import backend_cases

    np.savez_compressed(here / "backend.npz", **backend_cases.values(backend, tf.constant))
