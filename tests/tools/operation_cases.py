"""Operations on placeholders, as functions of a package: ``keras`` or distnet. Each takes a, b (N, 4, 3), c (N, 3)."""

import numpy as np

W = np.random.default_rng(3).normal(size=(3, 2))

OPERATORS = {
    "a + b": lambda k, a, b, c: a + b,
    "a - b": lambda k, a, b, c: a - b,
    "a * b": lambda k, a, b, c: a * b,
    "a / b": lambda k, a, b, c: a / (b * b + 1),
    "numbers": lambda k, a, b, c: 2 * a + 1 - a / 4 + (3 - a) - 1,
    "1 / a": lambda k, a, b, c: 1 / (a * a + 1),
    "-a": lambda k, a, b, c: -a,
    "a ** 2": lambda k, a, b, c: a**2,
    "a ** 3": lambda k, a, b, c: a**3,
    "2 ** a": lambda k, a, b, c: 2**a,
    "abs(a)": lambda k, a, b, c: abs(a + 1),  # the slope at 0 is 1 on JAX alone
    "a % 2": lambda k, a, b, c: a % 2.0,
    "a // 2": lambda k, a, b, c: a // 2.0 + a,
    "a @ W": lambda k, a, b, c: a @ W,
    "a @ b^T": lambda k, a, b, c: a @ k.ops.transpose(b, (0, 2, 1)),
    "a + array": lambda k, a, b, c: a * np.arange(3.0) + W[:, 0],
    "a[:, 0]": lambda k, a, b, c: a[:, 0],
    "a[:, -1:]": lambda k, a, b, c: a[:, -1:],
    "a[..., 1]": lambda k, a, b, c: a[..., 1],
    "a[:, ::2, None]": lambda k, a, b, c: a[:, ::2, None],
    "a[:, 1:3, 0]": lambda k, a, b, c: a[:, 1:3, 0],
    "c[:, 2]": lambda k, a, b, c: c[:, None, 2],
    "a > b": lambda k, a, b, c: k.ops.cast(a > b, "float64") * a,
    "a <= 0": lambda k, a, b, c: k.ops.where((a <= 0) | ~(b < 1), a, b),
}
FUNCTIONS = {
    **{
        name: lambda k, a, b, c, name=name: getattr(k.ops, name)(a)
        for name in (
            *("negative", "square", "exp", "expm1", "sin", "cos", "tanh", "sinh", "cosh", "arctan"),
            *("arcsinh", "relu", "relu6", "sigmoid", "silu", "softplus", "softsign", "log_sigmoid", "selu", "elu"),
            *("gelu", "leaky_relu", "hard_sigmoid", "hard_silu", "celu", "softmax", "log_softmax"),
        )
    },
    **{
        name: lambda k, a, b, c, name=name: getattr(k.ops, name)(a * a + 0.5)
        for name in ("sqrt", "rsqrt", "reciprocal", "log", "log2", "log10", "log1p")
    },
    **{
        name: lambda k, a, b, c, name=name: getattr(k.ops, name)(a, b)
        for name in ("add", "subtract", "multiply", "maximum", "minimum", "logaddexp")
    },
    **{
        f"{name} {axis}": lambda k, a, b, c, name=name, axis=axis: getattr(k.ops, name)(a, axis=axis)
        for name in ("mean", "sum", "max", "min", "var", "logsumexp", "amax")
        for axis in (1, (1, 2))
    },
    "absolute": lambda k, a, b, c: k.ops.absolute(a - 1),
    "arctan2": lambda k, a, b, c: k.ops.arctan2(a, b * b + 1),
    "std": lambda k, a, b, c: k.ops.std(a * np.arange(3.0) + np.arange(3.0), axis=-1),
    "mean keepdims": lambda k, a, b, c: k.ops.mean(a, axis=-1, keepdims=True),
    "power": lambda k, a, b, c: k.ops.power(a * a + 1, b),
    "divide": lambda k, a, b, c: k.ops.divide(a, 2.0),
    "maximum of a number": lambda k, a, b, c: k.ops.maximum(a, 0.0),
    "clip": lambda k, a, b, c: k.ops.clip(a, -0.5, 0.5),
    "reshape": lambda k, a, b, c: k.ops.reshape(a, (-1, 2, 6)),
    "transpose": lambda k, a, b, c: k.ops.transpose(a, axes=(0, 2, 1)),
    "swapaxes": lambda k, a, b, c: k.ops.swapaxes(a, 1, 2),
    "moveaxis": lambda k, a, b, c: k.ops.moveaxis(a, 1, -1),
    "expand_dims": lambda k, a, b, c: k.ops.expand_dims(a, 1),
    "squeeze": lambda k, a, b, c: k.ops.squeeze(a[:, :1], axis=1),
    "concatenate": lambda k, a, b, c: k.ops.concatenate([a, b, a], axis=1),
    "stack": lambda k, a, b, c: k.ops.stack([a, b], axis=2),
    "split": lambda k, a, b, c: k.ops.multiply(*k.ops.split(a, 2, axis=1)),
    "flip": lambda k, a, b, c: k.ops.flip(a, axis=1),
    "roll": lambda k, a, b, c: k.ops.roll(a, 1, axis=1),
    "repeat": lambda k, a, b, c: k.ops.repeat(c, 2, axis=1),
    "cumsum": lambda k, a, b, c: k.ops.cumsum(a, axis=1),
    "matmul": lambda k, a, b, c: k.ops.matmul(a, k.ops.swapaxes(b, 1, 2)),
    "einsum": lambda k, a, b, c: k.ops.einsum("nij,nkj->nik", a, b),
    "softmax along the steps": lambda k, a, b, c: k.ops.softmax(a, axis=1),
    "one_hot": lambda k, a, b, c: k.ops.one_hot(k.ops.argmax(a, axis=-1), 3) * a,
    "attention": lambda k, a, b, c: k.ops.sum(k.ops.softmax(k.ops.mean(a, -1, keepdims=True), axis=1) * b, axis=1),
    "an activation": lambda k, a, b, c: k.activations.relu(a, negative_slope=0.1),
    "broadcast": lambda k, a, b, c: k.ops.expand_dims(c, 1) * a + c[:, None],
}
CASES = {**OPERATORS, **FUNCTIONS}


def model(keras, with_mask=False):
    """A model with an output for each case, of layers of its own; behind a Masking or not."""
    rows = {"a": (4, 3), "b": (4, 3), "c": (3,)}
    inputs = [keras.Input(row, dtype="float64", name=name) for name, row in rows.items()]
    parts = [keras.layers.Masking(name=f"m{i}")(x) if with_mask else x for i, x in enumerate(inputs)]
    outputs = []
    for number, expression in enumerate(CASES.values()):
        dense = [keras.layers.Dense(3, kernel_initializer="identity", name=f"d{number}_{i}") for i in range(3)]
        outputs.append(expression(keras, *(layer(part) for layer, part in zip(dense, parts, strict=True))))
    return keras.Model(inputs, outputs)


def data():
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(5, *row)) for row in ((4, 3), (4, 3), (3,))]
    x[0][1, 2:], x[1][1, 2:], x[0][4], x[1][4] = 0, 0, 0, 0
    return x


def trained(keras, model):
    """Predictions, and the losses and each layer's weights of two steps towards 0.3."""
    x = data()
    y = [np.asarray(part) for part in model(x)]
    model.compile(keras.optimizers.SGD(0.0625), "mse")
    losses = [model.train_on_batch(x, [np.full(part.shape, 0.3) for part in y]) for _ in range(2)]
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    return {"y": y, "losses": [float(np.ravel(loss)[0]) for loss in losses], "weights": weights}
