"""What Keras's FeatureSpace makes of some columns: run with any keras, as JSON."""

import numpy as np

DATA = {
    "amount": [0.5, 1.5, -2.0, 7.0, 3.0, 0.25],
    "kind": ["zero", "one", "two", "one", "é", ""],
    "number": [4, 0, 4, -3, 9, 2],
}
ROW = {"amount": 1.0, "kind": "one", "number": 4}


def spaces(keras):
    """``{name: FeatureSpace}``, each adapted to the data."""
    space = keras.utils.FeatureSpace
    made = {
        "plain": space({"amount": "float_normalized", "kind": "string_categorical", "number": "integer_categorical"}),
        "crossed": space(
            {"amount": "float", "kind": "string_categorical", "number": "integer_hashed"},
            crosses=[("kind", "number")], crossing_dim=8, hashing_dim=5,
        ),
        "options": space({
            "amount": space.float_discretized(num_bins=3),
            "kind": space.string_categorical(max_tokens=3, num_oov_indices=2),
            "number": space.integer_categorical(num_oov_indices=2),
        }),
        "rescaled": space(
            {"amount": space.float_rescaled(2.0, 1.0), "kind": space.string_hashed(6), "number": "float"}
        ),
        "dict": space(
            {
                "amount": space.float_discretized(num_bins=3, output_mode="int"),
                "kind": space.string_categorical(output_mode="int"),
                "number": "integer_categorical",
            },
            output_mode="dict", crosses=[space.cross(("kind", "number"), 9, "int")],
        ),
    }  # fmt: skip
    for name, own in made.items():
        own.adapt(columns_for(name))
    return made


def results(keras):
    """``{name: values}``, from dicts of columns and of one row."""
    made = {}
    for name, own in spaces(keras).items():
        made[name] = encoded(own, name)
        made[f"{name} row"] = listed(own({**ROW, "number": 4.0} if name == "rescaled" else ROW))
    return made


def columns_for(name):
    """The data as a space takes them."""
    data = {**DATA, "number": [float(n) for n in DATA["number"]]} if name == "rescaled" else DATA
    return {key: np.array(column) for key, column in data.items()}


def encoded(space, name):
    """What a space makes of the columns."""
    return listed(space(columns_for(name)))


def listed(value):
    """As JSON has it."""
    if isinstance(value, dict):
        return {key: np.asarray(part).tolist() for key, part in value.items()}
    return np.asarray(value).tolist()
