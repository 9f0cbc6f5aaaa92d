"""Calls of functions of ``keras.backend`` with the tensors that they are made on: the same for Keras 2 and distnet."""

import numpy as np

RNG = np.random.default_rng(0)


def numbers(*shape):
    return RNG.normal(size=shape).astype("float32")


def shares(*shape):
    """Probabilities along the last axis."""
    x = np.exp(numbers(*shape))
    return x / x.sum(axis=-1, keepdims=True)


A, B, C, V, T4, T5 = (
    numbers(4, 3),
    numbers(4, 3),
    numbers(4, 5, 3),
    numbers(3),
    numbers(2, 6, 5, 3),
    numbers(1, 4, 4, 4, 2),
)
P, Q = shares(4, 3), shares(4, 3)


def _step(K):
    return lambda x, states: (x + 0.5 * states[0], [x + 0.5 * states[0]])


ONE = {
    **{
        name: (lambda K, x, name=name: getattr(K, name)(x), A)
        for name in (
            *("abs", "exp", "square", "sign", "round", "sin", "cos", "sigmoid", "tanh", "relu", "elu", "hard_sigmoid"),
            *("softplus", "softsign", "softmax", "sqrt", "argmax", "argmin", "flatten", "batch_flatten", "transpose"),
            *("zeros_like", "ones_like", "identity", "expand_dims", "cumsum", "cumprod", "l2_normalize", "mean", "sum"),
            *("max", "min", "prod", "var", "std", "logsumexp"),
        )
    },
    **{
        f"{name} of an axis": (lambda K, x, name=name: getattr(K, name)(x, axis=1, keepdims=True), C)
        for name in ("mean", "sum", "max", "min", "prod", "var", "std", "logsumexp")
    },
    "log": (lambda K, x: K.log(x), P),
    "pow": (lambda K, x: K.pow(x, 3.0), A),
    "clip": (lambda K, x: K.clip(x, -0.5, 0.5), A),
    "relu with all": (lambda K, x: K.relu(x, alpha=0.1, max_value=0.8, threshold=0.2), A),
    "softmax of an axis": (lambda K, x: K.softmax(x, axis=1), C),
    "any": (lambda K, x: K.any(K.greater(x, 0.5), axis=1), A),
    "all": (lambda K, x: K.all(K.greater(x, -0.5), axis=1, keepdims=True), A),
    "cast": (lambda K, x: K.cast(K.greater(x, 0), "float32"), A),
    "one_hot": (lambda K, x: K.one_hot(x, 4), np.array([[0, 3], [2, 1]])),
    "reshape": (lambda K, x: K.reshape(x, (-1, 15)), C),
    "permute_dimensions": (lambda K, x: K.permute_dimensions(x, (0, 2, 1)), C),
    "repeat": (lambda K, x: K.repeat(x, 2), A),
    "repeat_elements": (lambda K, x: K.repeat_elements(x, 2, axis=1), C),
    "tile": (lambda K, x: K.tile(x, [1, 2]), A),
    "squeeze": (lambda K, x: K.squeeze(K.expand_dims(x, 1), 1), A),
    "reverse": (lambda K, x: K.reverse(x, 1), C),
    "resize_images": (lambda K, x: K.resize_images(x, 2, 3, "channels_last"), T4),
    "resize_volumes": (lambda K, x: K.resize_volumes(x, 2, 1, 3, "channels_last"), T5),
    "temporal_padding": (lambda K, x: K.temporal_padding(x, (2, 1)), C),
    "spatial_2d_padding": (lambda K, x: K.spatial_2d_padding(x, ((1, 0), (2, 1))), T4),
    "spatial_3d_padding": (lambda K, x: K.spatial_3d_padding(x, ((1, 0), (2, 1), (0, 1))), T5),
    "pool2d": (lambda K, x: K.pool2d(x, (2, 2), (2, 2)), T4),
    "pool2d of means": (lambda K, x: K.pool2d(x, (3, 2), (1, 2), "same", pool_mode="avg"), T4),
    "pool3d": (lambda K, x: K.pool3d(x, (2, 2, 2), (2, 2, 1)), T5),
    "map_fn": (lambda K, x: K.map_fn(lambda row: row * 2, x), A),
    "foldl": (lambda K, x: K.foldl(lambda total, row: total * 0.5 + row, x), A),
    "foldr": (lambda K, x: K.foldr(lambda total, row: total * 0.5 + row, x), A),
    "rnn": (lambda K, x: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])])[1], C),
    "rnn backwards": (lambda K, x: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], go_backwards=True)[0], C),
    "in_train_phase": (lambda K, x: K.in_train_phase(x, 2 * x, training=0), A),
    "in_test_phase": (lambda K, x: K.in_test_phase(x, 2 * x, training=0), A),
    "normalize_batch_in_training": (
        lambda K, x: K.normalize_batch_in_training(x, K.ones((3,)), K.zeros((3,)), [0, 1])[0], C,
    ),
}  # fmt: skip
MORE = {
    **{
        name: (lambda K, x, y, name=name: getattr(K, name)(x, y), A, B)
        for name in ("maximum", "minimum", "equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
    },
    **{
        f"batch_dot {axes}": (lambda K, x, y, axes=axes: K.batch_dot(x, y, axes), x, y)
        for x, y, axes in (
            *((A, B, None), (A, B, 1), (C, C, 2), (C, C, (1, 1)), (C, A, (2, 1))),
            (C, numbers(4, 3, 2), None),
        )
    },
    "dot": (lambda K, x, y: K.dot(x, y), A, numbers(3, 2)),
    "dot of three axes": (lambda K, x, y: K.dot(x, y), C, numbers(2, 3, 4)),
    "gather": (lambda K, x, y: K.gather(x, y), A, np.array([[0, 2], [3, 3]])),
    "concatenate": (lambda K, x, y: K.concatenate([x, y]), A, B),
    "stack": (lambda K, x, y: K.stack([x, y], axis=1), A, B),
    "bias_add": (lambda K, x, y: K.bias_add(x, y), C, V),
    "switch": (lambda K, c, x, y: K.switch(c, x, y), np.array([[True] * 3, [False] * 3] * 2), A, B),
    "binary_crossentropy": (lambda K, x, y: K.binary_crossentropy(x, y), P, Q),
    "binary_crossentropy of logits": (lambda K, x, y: K.binary_crossentropy(x, y, from_logits=True), P, A),
    "categorical_crossentropy": (lambda K, x, y: K.categorical_crossentropy(x, y), P, Q),
    "categorical_crossentropy of logits": (lambda K, x, y: K.categorical_crossentropy(x, y, from_logits=True), P, A),
    "sparse_categorical_crossentropy": (
        lambda K, x, y: K.sparse_categorical_crossentropy(x, y), np.array([0, 2, 1, 1]), P,
    ),
    "in_top_k": (lambda K, x, y: K.in_top_k(x, y, 2), P, np.array([0, 2, 1, 1])),
    "conv1d": (lambda K, x, y: K.conv1d(x, y, padding="causal", dilation_rate=2), C, numbers(2, 3, 4)),
    "conv2d": (lambda K, x, y: K.conv2d(x, y, (2, 1), "same"), T4, numbers(3, 3, 3, 4)),
    "conv2d_transpose": (
        lambda K, x, y: K.conv2d_transpose(x, y, (2, 11, 9, 4), (2, 2), "same"), T4, numbers(3, 3, 4, 3),
    ),
    "conv3d": (lambda K, x, y: K.conv3d(x, y), T5, numbers(2, 2, 2, 2, 3)),
    "depthwise_conv2d": (lambda K, x, y: K.depthwise_conv2d(x, y), T4, numbers(2, 2, 3, 2)),
    "separable_conv2d": (
        lambda K, x, y, z: K.separable_conv2d(x, y, z, padding="same"), T4, numbers(2, 2, 3, 2), numbers(1, 1, 6, 4),
    ),
    "local_conv1d": (lambda K, x, y: K.local_conv1d(x, y, (2,), (1,)), C, numbers(4, 6, 2)),
    "local_conv2d": (lambda K, x, y: K.local_conv2d(x, y, (2, 2), (2, 1), (3, 4)), T4, numbers(12, 12, 2)),
    "batch_normalization": (
        lambda K, x, m, v, b, g: K.batch_normalization(x, m, v, b, g), C, V, V * V, V + 1, V - 1,
    ),
    "rnn behind a mask": (
        lambda K, x, m: K.rnn(_step(K), x, [K.zeros_like(x[:, 0])], mask=m)[1], C, numbers(4, 5) > 0,
    ),
}  # fmt: skip
CASES = {**ONE, **MORE}


def values(K, convert):
    """What each call gives, as an array."""
    return {name: np.asarray(call(K, *map(convert, tensors))) for name, (call, *tensors) in CASES.items()}
