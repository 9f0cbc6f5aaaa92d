"""Several inputs and outputs, shared layers, models within models."""

from .parts import bits, case, classes, wave


@case
def two_inputs_two_outputs_shared(k):
    left, right = k.Input((4,), name="left"), k.Input((4,), name="right")
    shared = k.layers.Dense(5, "tanh", name="shared")
    one, other = shared(left), shared(right)
    both = k.layers.concatenate([one, other, k.layers.subtract([one, other])])
    number = k.layers.Dense(1, name="number")(both)
    kind = k.layers.Dense(3, "softmax", name="kind")(k.layers.add([shared(right), k.layers.Dense(5)(both)]))
    model = k.Model(inputs=[left, right], outputs=[number, kind])
    model.compile(
        k.optimizers.Adam(0.01),
        {"number": "mse", "kind": "categorical_crossentropy"},
        metrics={"number": ["mae", "mse"], "kind": ["accuracy"]},
        loss_weights={"number": 0.5, "kind": 2.0},
    )
    return model, [wave(4), wave(4, phase=3.0)], [wave(1, phase=1.0), classes(3)]


@case
def outputs_in_a_list(k):
    entry = k.Input((4,))
    hidden = k.layers.Dense(5, "relu")(entry)
    model = k.Model(entry, [k.layers.Dense(1, name="p")(hidden), k.layers.Dense(1, "sigmoid", name="q")(hidden)])
    model.compile("rmsprop", ["mse", "binary_crossentropy"], metrics=[["mae"], ["accuracy"]], loss_weights=[1.0, 0.3])
    return model, [wave(4)], [wave(1, phase=1.0), bits()]


@case
def one_loss_for_two_outputs(k):
    entry = k.Input((4,))
    model = k.Model(entry, [k.layers.Dense(2, name="p")(entry), k.layers.Dense(1, name="q")(entry)])
    model.compile("sgd", "mse", metrics=["mae", "mae"])
    return model, [wave(4)], [wave(2, phase=1.0), wave(1)]


@case
def frozen_layers(k):
    layers = k.layers
    model = k.Sequential(
        [layers.Dense(5, "tanh", input_shape=(4,)), layers.BatchNormalization(), layers.Dense(3), layers.Dense(2)]
    )
    model.layers[0].trainable = model.layers[1].trainable = False
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]


@case
def nested_sequential(k):
    inner = k.Sequential(
        [k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.BatchNormalization(), k.layers.Dense(4, "relu")],
        name="inner",
    )
    entry, other = k.Input((4,)), k.Input((4,))
    merged = k.layers.concatenate([inner(entry), inner(other)])
    model = k.Model([entry, other], k.layers.Dense(2)(merged))
    model.compile("sgd", "mse", metrics=["mae"])
    return model, [wave(4), wave(4, phase=4.0)], [wave(2, phase=1.0)]


@case
def nested_functional_partly_frozen(k):
    a, b = k.Input((4,)), k.Input((3,))
    hidden = k.layers.Dense(5, "tanh", name="first")(a)
    hidden = k.layers.BatchNormalization(name="norm")(hidden)
    inner = k.Model(
        [a, b], [k.layers.Dense(3, name="second")(hidden), k.layers.Dense(3, name="third")(b)], name="inner"
    )
    inner.get_layer("first").trainable = False
    x, y = k.Input((4,)), k.Input((3,))
    p, q = inner([x, y])
    r, _ = inner([x, k.layers.Dense(3)(y)])
    model = k.Model([x, y], k.layers.Dense(2)(k.layers.add([p, q, r])))
    model.compile("adam", "mse")
    return model, [wave(4), wave(3)], [wave(2, phase=1.0)]


@case
def nested_twice(k):
    core = k.Sequential([k.layers.Dense(4, "tanh", input_shape=(4,))], name="core")
    middle = k.Sequential([core, k.layers.Dense(4, "relu")], name="middle")
    model = k.Sequential([k.layers.InputLayer(input_shape=(4,)), middle, k.layers.Dense(2)])
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]


@case
def nested_model_frozen(k):
    inner = k.Sequential([k.layers.Dense(4, "tanh", input_shape=(4,)), k.layers.BatchNormalization()], name="inner")
    inner.trainable = False
    model = k.Sequential([inner, k.layers.Dense(3, "tanh"), k.layers.Dense(2)])
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]


@case
def merges(k):
    entry = k.Input((4,))
    a, b = k.layers.Dense(3, "tanh")(entry), k.layers.Dense(3)(entry)
    parts = [k.layers.multiply([a, b]), k.layers.average([a, b]), k.layers.maximum([a, b]), k.layers.minimum([a, b])]
    dots = [k.layers.dot([a, b], axes=1), k.layers.Dot(axes=-1, normalize=True)([a, parts[0]])]
    model = k.Model(entry, k.layers.Dense(2)(k.layers.Concatenate(axis=1)([*parts, *dots])))
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]


@case
def dict_inputs_and_outputs(k):
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    hidden = k.layers.concatenate([k.layers.Dense(3)(a), k.layers.Dense(3)(b)])
    p, q = k.layers.Dense(1, name="p")(hidden), k.layers.Dense(2, name="q")(hidden)
    model = k.Model({"a": a, "b": b}, {"p": p, "q": q})
    model.compile("adam", {"p": "mse", "q": "mae"})
    return model, {"a": wave(4), "b": wave(3)}, {"p": wave(1, phase=1.0), "q": wave(2)}


@case
def nested_model_at_the_end(k):
    a = k.Input((4,))
    inner = k.Model(a, k.layers.Dense(2)(k.layers.Dense(3, "tanh")(a)), name="inner")
    entry = k.Input((3,))
    first = k.layers.Dense(4)(entry)
    model = k.Model(entry, inner(k.layers.Dense(4)(inner(first))))
    model.compile("sgd", "mse")
    return model, [wave(3)], [wave(2, phase=1.0)]


@case
def operators(k):
    entry = k.Input((4,))
    a, b = k.layers.Dense(3, "tanh")(entry), k.layers.Dense(3)(entry)
    c = (a + b) * a - b
    d = (1.0 - c) * 0.5 + 2.0
    model = k.Model(entry, k.layers.Dense(2)(-d / 4.0 + k.layers.add([a, b]) - 0.25))
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]
