"""What Keras's FeatureSpace makes of some columns: run with any keras, as JSON."""

import numpy as np

DATA = {
    "amount": [0.5, 1.5, -2.0, 7.0, 3.0, 0.25],
    "kind": ["zero", "one", "two", "one", "é", ""],
    "number": [4, 0, 4, -3, 9, 2],
}
ROW = {"amount": 1.0, "kind": "one", "number": 4}


def results(keras):
    """``{name: values}``, from dicts of columns and of one row."""
    space = keras.utils.FeatureSpace
    spaces = {
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
    made = {}
    for name, own in spaces.items():
        data = {**DATA, "number": [float(n) for n in DATA["number"]]} if name == "rescaled" else DATA
        row = {**ROW, "number": 4.0} if name == "rescaled" else ROW
        own.adapt(data)
        made[name] = _listed(own({key: np.array(column) for key, column in data.items()}))
        made[f"{name} row"] = _listed(own(row))
    return made


def _listed(value):
    if isinstance(value, dict):
        return {key: np.asarray(part).tolist() for key, part in value.items()}
    return np.asarray(value).tolist()
