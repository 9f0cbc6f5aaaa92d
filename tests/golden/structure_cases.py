"""Nested inputs, outputs, losses and metrics as Keras's users write them, each a function of the module ``keras``.

``make_structures.py`` runs them with Keras itself, ``tests/training/test_structures.py`` with distnet.
"""

from fit_cases import fill, waves

ROWS = 7
A, B = waves(ROWS, 3), waves(ROWS, 2, frequency=2.0)
P, Q, R = waves(ROWS, 1, frequency=3.0), waves(ROWS, 2, frequency=1.7), waves(ROWS, 2, frequency=0.6)
FEW, MANY = 1.0 + waves(ROWS, frequency=0.7, scale=0.9), 1.0 + waves(ROWS, frequency=1.9, scale=0.8)

FORMS = {
    "list": lambda p, q, r: [p, q],
    "tuple": lambda p, q, r: (p, q),
    "dict": lambda p, q, r: {"kq": q, "kp": p},
    "keys_against_names": lambda p, q, r: {"zz": p, "aa": q},
    "one": lambda p, q, r: [p],
    "one_in_dict": lambda p, q, r: {"k": p},
    "nested": lambda p, q, r: [p, [q, r]],
    "lists_in_dict": lambda p, q, r: {"b": p, "a": [q, r]},
    "dicts_in_dict": lambda p, q, r: {"b": p, "a": {"u": q, "t": r}},
}
COMPILED = {
    "a list for one output": ("list", {"loss": ["mse", ["mae"]]}),
    "two losses of one output": ("list", {"loss": ["mse", ["mae", "mse"]]}),
    "two losses of the one output": ("one", {"loss": ["mse", "mae"], "loss_weights": [0.3, 0.6]}),
    "lists in a dict": ("dict", {"loss": {"kp": ["mse"], "kq": ["mae"]}, "metrics": {"kq": ["mse", "mae"]}}),
    "a dict of some": ("dict", {"loss": {"kp": "mse"}}),
    "a dict with None": ("dict", {"loss": {"kp": "mse", "kq": None}, "metrics": {"kp": "mae", "kq": ["mse"]}}),
    "a list for a dict": ("dict", {"loss": ["mse", "mae"], "metrics": ["mae", "mse"]}),
    "names for a list": ("list", {"loss": {"q": "mse", "p": "mae"}, "loss_weights": {"p": 0.3, "q": 2.0}}),
    "None for the second": ("list", {"loss": ["mse", None]}),
    "None for the first": ("list", {"loss": [None, "mse"], "metrics": [None, ["mse"]]}),
    "nested": ("nested", {"loss": ["mse", ["mae", "mse"]], "loss_weights": [1.0, [0.5, 2.0]]}),
    "flat for nested": ("nested", {"loss": ["mse", "mae", "mse"], "metrics": ["mae", ["mse", "mae"]]}),
    "nested metrics": ("nested", {"loss": "mse", "metrics": ["mae", [["mse"], ["mae", "mse"]]]}),
    "gaps": ("nested", {"loss": "mse", "weighted_metrics": [None, [None, "mae"]]}),
    "dicts": (
        "dicts_in_dict",
        {"loss": {"b": "mse", "a": {"u": "mae", "t": "mse"}}, "metrics": {"b": "mae", "a": {"u": "mse", "t": "mae"}}},
    ),
    "flat metrics": ("list", {"loss": "mse", "metrics": ["mae", "mse"], "weighted_metrics": ["mae", "mae"]}),
    "a key": ("one_in_dict", {"loss": {"k": "mse"}, "metrics": {"k": "mae"}}),
    "nested metrics of one": ("one", {"loss": ["mse"], "metrics": [["mae"], ["mse"]]}),
    "a tuple": ("tuple", {"loss": ("mse", "mae")}),
}


def model_of(keras, form):
    x = keras.Input((3,), name="x")
    layers = [keras.layers.Dense(units, name=name) for units, name in ((1, "p"), (2, "q"), (2, "r"))]
    return fill(keras.Model(x, FORMS[form](*(layer(x) for layer in layers))))


def _flat(value, path=""):
    """Nested results as named numbers."""
    if isinstance(value, dict):
        return {k: v for key, part in value.items() for k, v in _flat(part, f"{path}/{key}").items()}
    if isinstance(value, list | tuple) and value and not isinstance(value[0], float):
        return {k: v for i, part in enumerate(value) for k, v in _flat(part, f"{path}/{i}").items()}
    return {path: value}


def trained(model, y, x=A, **options):
    history = model.fit(x, y, epochs=2, batch_size=3, shuffle=False, verbose=0, **options)
    return {"history": history.history, "evaluated": model.evaluate(x, y, batch_size=3, verbose=0, return_dict=True)}


def outputs(keras, form):
    model = model_of(keras, form)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    outer = keras.Model(x := keras.Input((3,)), model(x))
    return _flat(
        {
            "called": model(A),
            "predicted": model.predict(A, verbose=0),
            "on batch": model.predict_on_batch(A),
            "outer": outer.predict(A, verbose=0),
            **trained(model, FORMS[form](P, Q, R)),
            "listed": [float(v) for v in model.evaluate(A, FORMS[form](P, Q, R), verbose=0)]
            if len(model.outputs) > 1
            else [],
        }
    )


def compiled(keras, name):
    form, options = COMPILED[name]
    model = model_of(keras, form)
    model.compile(keras.optimizers.SGD(0.1), **options)
    return _flat(trained(model, FORMS[form](P, Q, R)))


def two_inputs(keras, form):
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    return fill(keras.Model(form(a, b), keras.layers.Dense(2)(keras.layers.Concatenate()([a, b]))))


def inputs(keras):
    listed, named = two_inputs(keras, lambda a, b: [a, b]), two_inputs(keras, lambda a, b: {"a": a, "b": b})
    deep = two_inputs(keras, lambda a, b: {"z": a, "y": {"q": b}})
    for model in (listed, named, deep):
        model.compile(keras.optimizers.SGD(0.1), "mse")
    return _flat(
        {
            "list": listed([A, B]),
            "tuple": listed((A, B)),
            "keyword": listed(inputs=[A, B]),
            "dict for list": listed({"b": B, "a": A}),
            "dict with more": listed({"b": B, "a": A, "c": A}),
            "dict": named({"b": B, "a": A}),
            "list for dict": named([A, B]),
            "predicted": named.predict({"b": B, "a": A}, verbose=0),
            "predicted list": listed.predict((A, B), verbose=0),
            "deep": deep({"z": A, "y": {"q": B}}),
            "trained deep": trained(deep, Q, {"y": {"q": B}, "z": A}),
            "trained": trained(named, Q, {"b": B, "a": A}),
        }
    )


def targets(keras):
    """Targets and sample weights in other forms than the outputs."""
    found = {}
    for name, form, loss, y, options in (
        ("first alone", "list", ["mse", None], P, {}),
        ("first alone in a list", "list", ["mse", None], [P], {}),
        ("second alone", "list", [None, "mse"], [Q], {}),
        ("one key", "dict", {"kp": "mse"}, {"kp": P}, {}),
        ("dict for list", "list", "mse", {"q": Q, "p": P}, {}),
        ("list for dict", "keys_against_names", "mse", [Q, P], {}),
        ("flat for nested", "nested", "mse", [P, Q, R], {}),
        ("vector", "one", "mse", P[:, 0], {}),
        ("weights", "list", "mse", [P, Q], {"sample_weight": [FEW, MANY]}),
        ("one weight", "list", "mse", [P, Q], {"sample_weight": FEW}),
        ("weights in a dict", "dict", "mse", {"kp": P, "kq": Q}, {"sample_weight": {"kp": FEW, "kq": MANY}}),
        ("nested weights", "nested", "mse", [P, [Q, R]], {"sample_weight": [FEW, [MANY, FEW]]}),
    ):
        model = model_of(keras, form)
        model.compile(keras.optimizers.SGD(0.1), loss)
        found[name] = model.fit(A, y, batch_size=3, shuffle=False, verbose=0, **options).history
    return _flat(found)


def ranks(keras):
    """Data with a last axis of 1 more or less than the model's."""
    layers, images = keras.layers, waves(ROWS, 4, 4)
    pixels = [keras.Input((4, 4, 1)), layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(1)]
    convolutional, rows = fill(keras.Sequential(pixels)), fill(keras.Sequential([keras.Input((3,)), layers.Dense(1)]))
    numbers = fill(keras.Model(x := keras.Input((1,)), layers.Dense(1)(x)))
    sequences = fill(keras.Sequential([keras.Input((4, 4)), layers.Dense(1)]))
    for model in (convolutional, rows, numbers, sequences):
        model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return _flat(
        {
            "called": [convolutional(images), rows(A[..., None]), numbers(A[:, 0])],
            "predicted": [m.predict(x, verbose=0) for m, x in ((convolutional, images), (rows, A[..., None]))],
            "images": trained(convolutional, P[:, 0], images),
            "more": trained(rows, P[..., None], A[..., None]),
            "numbers": trained(numbers, P[:, 0], A[:, 0]),
            "sequences": trained(sequences, images[..., 0], images),
        }
    )


def within(keras):
    """Models that begin and end within another, and share its weights."""
    x, z = keras.Input((3,)), keras.Input((2,))
    hidden = keras.layers.Dense(4, activation="tanh")(x)
    merged = keras.layers.Concatenate()([hidden, z])
    y = keras.layers.Dense(2)(keras.layers.Dense(3, activation="tanh")(merged))
    whole = fill(keras.Model([x, z], y))
    head, middle = keras.Model([hidden, z], y), keras.Model(merged, y)
    head.compile(keras.optimizers.SGD(0.1), "mse")
    inner = waves(ROWS, 4, frequency=1.3)
    return _flat(
        {
            "head": head.predict([inner, B], verbose=0),
            "middle": middle.predict(waves(ROWS, 6), verbose=0),
            "trained": trained(head, Q, [inner, B]),
            "whole": whole.predict([A, B], verbose=0),
        }
    )


CASES = {
    **{f"outputs in {form}": (lambda keras, form=form: outputs(keras, form)) for form in FORMS},
    **{f"compiled with {name}": (lambda keras, name=name: compiled(keras, name)) for name in COMPILED},
    **{f.__name__: f for f in (inputs, targets, ranks, within)},
}
