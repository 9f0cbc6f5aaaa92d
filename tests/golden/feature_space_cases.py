"""FeatureSpaces drawn at random, and what each makes of data: for any keras."""

import tempfile
from pathlib import Path

import numpy as np

WORDS = ["a", "b", "the", "cat", "é", "É", "日本", "ß", "x y", "[UNK]", "", "12", "-1", "🙂", "don't"]
WHOLE = [0, 1, 2, 3, 5, 7, -1, -4, 100, 2**20]
FEW = [0, 1, 2, 3]
NUMBERED = {
    "float32": ("float_discretized",),
    "int32": ("integer_categorical", "integer_hashed", "salted_integers"),
    "string": ("string_categorical", "string_hashed", "salted_strings"),
}
"""Kinds of features that give integers, which can be crossed."""
OTHERS = {
    "float32": ("float", "float_normalized", "float_rescaled", "rescaling", "moments"),
    "int32": ("float", "encoding"),
    "string": ("text",),
}
LAYERS = {
    "text": "TextVectorization", "rescaling": "Rescaling", "moments": "Normalization", "salted_integers": "Hashing",
    "salted_strings": "Hashing", "encoding": "CategoryEncoding",
}  # fmt: skip
"""Kinds for which the user brings the layer; Keras can use none with a vocabulary or bounds of its own."""
OPTIONS = {
    "float_rescaled": {"scale": [0.5, -2.0], "offset": [0.0, 1.5]},
    "integer_categorical": {"max_tokens": [5, 9], "num_oov_indices": [1, 2, 3]},
    "string_categorical": {"max_tokens": [5, 9], "num_oov_indices": [1, 2, 3]},
    "text": {"standardize": ["lower", None], "split": ["character"], "ngrams": [2], "max_tokens": [3, 8]},
    "rescaling": {"offset": [-1.0]},
    "salted_integers": {"mask_value": [0, 1]},
    "salted_strings": {"mask_value": ["", "a"]},
    "encoding": {"output_mode": ["multi_hot", "count"]},
}
"""What may be given."""


def pick(rng, options):
    return options[int(rng.integers(len(options)))]


def some(rng, options, most):
    return [options[i] for i in rng.permutation(len(options))[: int(rng.integers(1, most + 1))]]


def drawn(seed):
    """A specification, as JSON has it."""
    rng = np.random.default_rng([7, seed])
    output_mode = pick(rng, ["concat", "concat", "dict"])
    names = [f"{pick(rng, 'zamk')}{i}" for i in range(int(rng.integers(1, 6)))]
    features = {name: _feature(rng, pick(rng, list(NUMBERED)), output_mode) for name in names}
    numbered = [name for name, own in features.items() if own["kind"] in NUMBERED[own["dtype"]]]
    crosses = {}
    for _ in range(int(rng.integers(0, 3)) if len(numbered) > 1 else 0):
        crossed = [numbered[i] for i in rng.permutation(len(numbered))[: int(rng.integers(2, 4))]]
        mode = pick(rng, ["one_hot", "int"]) if output_mode == "dict" else "one_hot"
        crosses["_X_".join(crossed)] = {"names": crossed, "dim": pick(rng, [1, 7]), "output_mode": mode}
    sizes = {"crossing_dim": [3, 9], "hashing_dim": [4, 11], "num_discretization_bins": [2, 5]}
    rows = pick(rng, [1, 2, 5, 31, 32, 33, 70])
    return {
        "features": features,
        "crosses": list(crosses.values()),
        "named_crosses": [tuple(crossed["names"]) for crossed in crosses.values() if rng.random() < 0.3],
        "options": {"output_mode": output_mode, **_perhaps(rng, sizes)},
        "form": pick(rng, ["lists", "arrays", "matrices", "rows", "batches"]),
        "learned": {name: _column(rng, own, rows) for name, own in features.items()},
        "given": {name: _column(rng, own, 6) for name, own in features.items()},
    }


def _perhaps(rng, options):
    return {key: pick(rng, values) for key, values in options.items() if rng.random() < 0.5}


def _column(rng, feature, rows):
    if feature["dtype"] == "float32":
        return np.round(rng.normal(size=rows) * 4 + 1, 2).tolist()
    if feature["dtype"] == "int32":
        known = FEW if feature["kind"] == "encoding" else some(rng, WHOLE, 7)
        return [pick(rng, known) for _ in range(rows)]
    known = some(rng, WORDS, 8)
    return [" ".join(some(rng, known, 2)) if rng.random() < 0.3 else pick(rng, known) for _ in range(rows)]


def _feature(rng, dtype, output_mode):
    kind = pick(rng, NUMBERED[dtype] + OTHERS[dtype])
    is_numbered = kind in NUMBERED[dtype]
    mode = pick(rng, ["one_hot", "int"]) if is_numbered and output_mode == "dict" else "one_hot"
    needed = {
        "float_discretized": {"num_bins": pick(rng, [2, 4, 7])},
        "integer_hashed": {"num_bins": pick(rng, [1, 6])},
        "string_hashed": {"num_bins": pick(rng, [1, 6])},
        "text": {"output_mode": pick(rng, ["multi_hot", "count", "tf_idf"])},
        "rescaling": {"scale": pick(rng, [0.5, 3.0])},
        "moments": {"mean": 1.5, "variance": 2.0},
        "salted_integers": {"num_bins": 5, "salt": pick(rng, [3, [1, 2]])},
        "salted_strings": {"num_bins": 5, "salt": pick(rng, [3, [1, 2]])},
        "encoding": {"num_tokens": 4},
    }
    return {
        "dtype": dtype,
        "kind": kind,
        "output_mode": mode if is_numbered else "float",
        "options": {**needed.get(kind, {}), **_perhaps(rng, OPTIONS.get(kind, {}))},
        "is_by_name": kind not in LAYERS and mode == "one_hot" and bool(rng.random() < 0.3),
    }


def space_of(keras, spec):
    """The FeatureSpace of a specification."""
    kinds, features = keras.utils.FeatureSpace, {}
    for name, own in spec["features"].items():
        if own["is_by_name"]:
            features[name] = own["kind"]
        elif own["kind"] in LAYERS:
            layer = getattr(keras.layers, LAYERS[own["kind"]])(**own["options"])
            features[name] = kinds.feature(own["dtype"], layer, own["output_mode"])
        else:
            mode = {} if own["output_mode"] == "float" else {"output_mode": own["output_mode"]}
            features[name] = getattr(kinds, own["kind"])(**own["options"], **mode)
    bare = [tuple(names) for names in spec["named_crosses"]]
    crosses = [
        tuple(own["names"])
        if tuple(own["names"]) in bare
        else kinds.cross(tuple(own["names"]), own["dim"], own["output_mode"])
        for own in spec["crosses"]
    ]
    return kinds(features, crosses=crosses, **spec["options"])


def columns(spec, which, form="arrays"):
    """Columns by their names, as lists, arrays or matrices of one column."""
    dtypes = {"string": object, "int32": "int32", "float32": "float32"}
    made = {}
    for name, values in spec[which].items():
        array = np.array(values, dtypes[spec["features"][name]["dtype"]])
        made[name] = values if form == "lists" else array[:, None] if form == "matrices" else array
    return made


def adapt(space, spec, dataset_of):
    """Let it see its data, in the form that the specification names."""
    form = spec["form"]
    if form in ("rows", "batches"):
        space.adapt(dataset_of(spec, "learned", 8 if form == "batches" else None))
    else:
        space.adapt(columns(spec, "learned", form))


def made(keras, seed):
    """What a space makes of columns that it was not adapted to, and of one row."""
    spec = drawn(seed)
    space = space_of(keras, spec)
    space.adapt(columns(spec, "learned"))
    return {"given": listed(space(columns(spec, "given"))), "row": listed(space(_row(spec)))}


def _row(spec):
    return {name: values[0] for name, values in spec["given"].items()}


def _in_a_model(keras, space, dataset):
    return keras.Model(space.get_inputs(), space.get_encoded_features()).predict(dataset, verbose=0)


def _front(space):
    """Last extents and dtypes of the placeholders; those of Keras's crosses have an axis more than what they give."""
    encoded = space.get_encoded_features()
    parts = list(encoded.values()) if isinstance(encoded, dict) else [encoded]
    return [[part.shape[-1], str(part.dtype)] for part in parts]


def _loaded(keras, space, spec):
    with tempfile.TemporaryDirectory() as folder:
        space.save(Path(folder, "space.keras"))
        return keras.models.load_model(Path(folder, "space.keras"))(columns(spec, "given"))


def results(keras, seed, dataset_of, mapped, folder=None):
    """What a FeatureSpace makes of data, by what was asked for: listed, or the error.

    Args:
        keras: the package.
        seed: of the specification.
        dataset_of: specification, ``"learned"`` or ``"given"`` and size of batches -> a dataset of dicts.
        mapped: a dataset's elements, after a function.
        folder: where the space is saved.
    """
    spec = drawn(seed)
    space = space_of(keras, spec)
    adapt(space, spec, dataset_of)
    asked = {
        "learned": lambda: space(columns(spec, "learned")),
        "given": lambda: space(columns(spec, "given")),
        "lists": lambda: space(columns(spec, "given", "lists")),
        "matrices": lambda: space(columns(spec, "given", "matrices")),
        "row": lambda: space(_row(spec)),
        "batches": lambda: mapped(dataset_of(spec, "given", 4), space)[-1],
        "rows": lambda: mapped(dataset_of(spec, "given", None), space)[-1],
        "model": lambda: _in_a_model(keras, space, dataset_of(spec, "given", 4)),
        "loaded": lambda: _loaded(keras, space, spec),
    }
    every = {key: attempt(ask) for key, ask in asked.items()}
    if folder is not None:
        space.save(Path(folder, f"{seed}.keras"))
    return every | {"front": _front(space)}


def read(keras, seed, folder):
    """What is made of data by a space from a file."""
    space = keras.models.load_model(Path(folder, f"{seed}.keras"))
    return space(columns(drawn(seed), "given"))


def attempt(ask):
    """What it gives, listed, or the error."""
    try:
        return listed(ask())
    except Exception as error:  # whatever it is, the other package has to refuse, too
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def listed(value):
    """Arrays as JSON has them, anything else as it is."""
    if isinstance(value, dict):
        return {key: listed(part) for key, part in value.items()}
    if not hasattr(value, "shape"):
        return value
    array = np.asarray(value)
    return {"dtype": str(array.dtype), "values": array.tolist()}
