import numpy as np
import pytest

from distnet.variables import Variable, VariableStore


@pytest.fixture
def make_store():
    def make(shapes, weights=None, dtype=np.float64, constraints=None):
        """A store of variables called as the keys of ``shapes``, holding the flat ``weights`` one after the other."""
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        flat = np.zeros(sum(sizes)) if weights is None else np.asarray(weights)
        parts = np.split(flat, np.cumsum(sizes)[:-1]) if sizes else []
        variables = [
            Variable(name, f"layer/{name}", part.reshape(shape).astype(dtype), constraint=(constraints or {}).get(name))
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        ]
        return VariableStore(variables, np.dtype(dtype))

    return make


@pytest.fixture
def ones_store(make_store):
    return make_store({"kernel": (10,)}, np.ones(10))


@pytest.fixture
def step():
    def step(optimizer, store, gradient):
        """One step with a flat gradient without padding."""
        put(store.gradients, store, gradient)
        optimizer.apply(store)

    return step


@pytest.fixture
def values():
    return take


def put(buffer, store, flat):
    flat = np.asarray(flat)
    start = 0
    for span in store.spans:
        size = span.stop - span.start
        buffer[span.start : span.stop] = flat[start : start + size] if flat.ndim else flat
        start += size


def take(buffer, store):
    """The entries of the variables in a flat buffer, without the padding."""
    return np.concatenate([buffer[span.start : span.stop] for span in store.spans])
