"""Run by a Python that has Keras 3 and JAX: values and gradients of functions of ``keras.ops``.

    KERAS_BACKEND=jax python ops_in_keras.py FOLDER [--xla]

``FOLDER/cases.pickle`` holds the calls: name, arguments, options. The answer is ``FOLDER/answers.pickle``: for each
call its results and the gradients of their weighted sum by the arrays of floating point numbers, or the error.

JAX traces and differentiates; NumPy computes, for JAX would compile each call for half a second. ``--xla`` lets it.
"""

import operator
import os
import pickle
import sys
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import jax.numpy as jnp
import keras
import numpy as np

from jaxpr_in_numpy import jit


def is_float(leaf):
    return isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"


def leaves(nest):
    return jax.tree.leaves(nest, is_leaf=lambda leaf: leaf is None)


def filled(args, floats):
    rest = iter(floats)
    return jax.tree.map(lambda leaf: next(rest) if is_float(leaf) else leaf, args, is_leaf=lambda leaf: leaf is None)


def weighted(y):
    """The sum of a result's entries, each times its weight."""
    return jnp.sum(jnp.real(y) * np.cos(np.arange(y.size, dtype=np.float32) + 1).reshape(y.shape))


def answer(name, args, options, compiled):
    function = operator.attrgetter(name)(keras.ops)
    given = [leaf for leaf in leaves(args) if is_float(leaf)]

    def total(floats):
        y = function(*filled(args, floats), **options)
        parts = [jnp.asarray(part) for part in leaves(y)]
        floating = [weighted(part) for part in parts if part.dtype.kind in "fc" or part.dtype == jnp.bfloat16]
        return sum(floating, jnp.zeros(())), parts

    try:
        slopes, parts = compiled(jax.grad(total, has_aux=True))(given) if given else ([], total([])[1])
    except (jax.errors.JAXTypeError, jax.errors.JAXIndexError, NotImplementedError):  # it is none of traced arrays
        slopes, parts = None, total(given)[1]
    return [np.asarray(part) for part in parts], slopes if slopes is None else [np.asarray(dx) for dx in slopes]


def main(folder, compiled):
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    answers = []
    for name, args, options in pickle.loads((folder / "cases.pickle").read_bytes()):
        try:
            answers.append(answer(name, args, options, compiled))
        except Exception as error:
            answers.append(repr(error)[:500])
    (folder / "answers.pickle").write_bytes(pickle.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), jax.jit if "--xla" in sys.argv else jit)
