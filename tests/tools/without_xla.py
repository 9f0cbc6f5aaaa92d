"""Run by a Python that has Keras and JAX: a program whose steps JAX traces and NumPy computes.

    python without_xla.py PROGRAM ARGUMENT...

Compiling the steps takes XLA most of the time that programs of small models need.
"""

import os
import runpy
import sys

os.environ["KERAS_BACKEND"] = "jax"

from keras.src.backend.jax import trainer

import jaxpr_in_numpy

if __name__ == "__main__":
    trainer.jit = jaxpr_in_numpy.jit
    sys.argv[:] = sys.argv[1:]
    sys.path[0] = os.path.dirname(sys.argv[0])
    runpy.run_path(sys.argv[0], run_name="__main__")
