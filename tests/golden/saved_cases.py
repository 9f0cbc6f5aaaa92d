"""Models that Keras saves and distnet reads: each a function of the package ``k`` (keras or tf_keras).

It returns the compiled model, its inputs and its targets.
"""

import numpy as np

ROWS = 20
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def wave(*shape, phase=0.0):
    """Rows that differ, alike on every machine."""
    numbers = np.arange(ROWS * int(np.prod(shape)), dtype="float64")
    return np.sin(numbers * 0.7 + 0.13 * numbers**1.1 + phase).astype("float32").reshape(ROWS, *shape)


def words(length, size):
    """Rows of word numbers that end in zeros."""
    found = (np.abs(wave(length)) * (size - 1)).astype("int32") + 1
    return np.where(np.arange(length) < 2 + np.arange(ROWS)[:, None] % (length - 1), found, 0).astype("int32")


def classes(n):
    return np.eye(n, dtype="float32")[(np.arange(ROWS) * 7 // 3) % n]


def bits():
    return (np.arange(ROWS) * 5 % 3 == 0).astype("float32")[:, None]


def mlp(k, optimizer, loss="mse", **compiled):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(2)])
    model.compile(optimizer, loss, **compiled)
    return model, [wave(4)], [wave(2, phase=1.0)]


def chain(k, shape, *layers, x=None, optimizer="adam"):
    """A regression on the last layer's output."""
    model = k.Sequential([k.layers.InputLayer(input_shape=shape), *layers])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model, [wave(*shape) if x is None else x], [wave(*model.output_shape[1:], phase=2.0)]


def of_optimizer(name, make):
    CASES[name] = lambda k: mlp(k, make(k.optimizers))


OPTIMIZERS = {
    "sgd": lambda o: o.SGD(0.05),
    "sgd_momentum": lambda o: o.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda o: o.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=0.1),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_momentum": lambda o: o.RMSprop(0.01, momentum=0.5),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, centered=True),
    "rmsprop_both": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda o: o.Adam(0.01, beta_1=0.8, epsilon=1e-4),
    "adam_amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "adam_clipvalue": lambda o: o.Adam(0.01, clipvalue=0.01),
    "adam_global_clipnorm": lambda o: o.Adam(0.01, global_clipnorm=0.05),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "adagrad": lambda o: o.Adagrad(0.05, initial_accumulator_value=0.2),
    "adadelta": lambda o: o.Adadelta(0.5),
    "ftrl": lambda o: o.Ftrl(0.05, l1_regularization_strength=0.001, l2_regularization_strength=0.01, beta=0.1),
    "ftrl_power": lambda o: o.Ftrl(0.05, learning_rate_power=-0.3, l2_shrinkage_regularization_strength=0.01),
    "exponential_decay": lambda o: o.Adam(o.schedules.ExponentialDecay(0.02, 5, 0.9, staircase=True)),
    "piecewise": lambda o: o.SGD(o.schedules.PiecewiseConstantDecay([4, 12], [0.1, 0.05, 0.01]), momentum=0.5),
    "polynomial": lambda o: o.RMSprop(o.schedules.PolynomialDecay(0.02, 12, 0.001, 2.0)),
    "inverse_time": lambda o: o.SGD(o.schedules.InverseTimeDecay(0.1, 3, 0.5)),
    "cosine": lambda o: o.Adam(o.schedules.CosineDecay(0.02, 15, alpha=0.1)),
    "cosine_restarts": lambda o: o.Adam(o.schedules.CosineDecayRestarts(0.02, 4)),
}
NEW = {
    "adam_weight_decay": lambda o: o.Adam(0.01, weight_decay=0.1),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.05),
    "lion": lambda o: o.Lion(0.01),
    "adam_ema": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4),
    "sgd_ema": lambda o: o.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.9),
}
KERAS_3 = {
    "lamb": lambda o: o.Lamb(0.01),
    "adam_accumulating": lambda o: o.Adam(0.01, gradient_accumulation_steps=2),
    "sgd_ema_accumulating": lambda o: o.SGD(
        0.05, momentum=0.5, use_ema=True, ema_overwrite_frequency=3, gradient_accumulation_steps=2
    ),
    "cosine_warmup": lambda o: o.Adam(o.schedules.CosineDecay(0.001, 15, warmup_target=0.02, warmup_steps=5)),
}
for _name, _make in {**OPTIMIZERS, **NEW, **KERAS_3}.items():
    of_optimizer(_name, _make)


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
def residual_batchnorm(k):
    entry = x = k.Input((6, 6, 3))
    x = k.layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    x = k.layers.ReLU()(k.layers.BatchNormalization()(x))
    for strides in (1, 2):
        y = k.layers.Conv2D(4 * strides, 3, strides, padding="same", use_bias=False)(x)
        y = k.layers.ReLU()(k.layers.BatchNormalization(momentum=0.9)(y))
        y = k.layers.BatchNormalization()(k.layers.Conv2D(4 * strides, 3, padding="same", use_bias=False)(y))
        if strides > 1:
            x = k.layers.BatchNormalization()(k.layers.Conv2D(4 * strides, 1, strides, use_bias=False)(x))
        x = k.layers.Activation("relu")(k.layers.add([x, y]))
    model = k.Model(entry, k.layers.Dense(3, "softmax")(k.layers.GlobalAveragePooling2D()(x)))
    model.compile(k.optimizers.SGD(0.05, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    return model, [wave(6, 6, 3)], [classes(3)]


@case
def batchnorm_options(k):
    return chain(
        k, (5,), k.layers.Dense(4), k.layers.BatchNormalization(center=False), k.layers.Dense(4, "tanh"),
        k.layers.BatchNormalization(scale=False, epsilon=0.01), k.layers.Dense(2), optimizer="sgd",
    )  # fmt: skip


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
def rnn_stack(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.SimpleRNN(4, return_sequences=True), layers.LSTM(3, return_sequences=True, go_backwards=True),
        layers.GRU(3, return_sequences=True), layers.GRU(3, reset_after=False), layers.Dense(2),
    )  # fmt: skip


@case
def rnn_options(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", use_bias=False),
        layers.LSTM(3, return_sequences=True, unit_forget_bias=False, activation="relu", kernel_regularizer="l2"),
        layers.GRU(3, recurrent_activation="hard_sigmoid", recurrent_constraint="unit_norm"), layers.Dense(2),
    )  # fmt: skip


@case
def bidirectional(k):
    layers = k.layers
    return chain(
        k, (5, 3), layers.Bidirectional(layers.GRU(2, return_sequences=True)),
        layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
        layers.Bidirectional(
            layers.LSTM(2, return_sequences=True),
            backward_layer=layers.GRU(2, return_sequences=True, go_backwards=True),
        ),
        layers.Bidirectional(layers.SimpleRNN(3), merge_mode="ave"), layers.Dense(2),
    )  # fmt: skip


@case
def encoder_decoder(k):
    source, target = k.Input((4, 3)), k.Input((3, 2))
    _, h, c = k.layers.LSTM(4, return_state=True)(source)
    sequence = k.layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    model = k.Model([source, target], k.layers.TimeDistributed(k.layers.Dense(2))(sequence))
    model.compile("adam", "mse")
    return model, [wave(4, 3), wave(3, 2)], [wave(3, 2, phase=1.0)]


@case
def gru_state_in_a_functional_model(k):
    source, target = k.Input((4, 3)), k.Input((3, 2))
    _, state = k.layers.GRU(4, return_state=True)(source)
    model = k.Model([source, target], k.layers.Dense(2)(k.layers.GRU(4)(target, initial_state=state)))
    model.compile("adam", "mse")
    return model, [wave(4, 3), wave(3, 2)], [wave(2, phase=1.0)]


@case
def masked_embedding(k):
    layers = k.layers
    return chain(
        k, (6,), layers.Embedding(12, 4, mask_zero=True), layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
        layers.GRU(3), layers.Dense(2), x=words(6, 12),
    )  # fmt: skip


@case
def masked_values(k):
    x = wave(5, 3) * (np.arange(5) < 2 + np.arange(ROWS)[:, None] % 4)[..., None]
    layers = k.layers
    return chain(
        k, (5, 3), layers.Masking(0.0), layers.LSTM(3, return_sequences=True), layers.TimeDistributed(layers.Dense(3)),
        layers.GlobalAveragePooling1D(), layers.Dense(2), x=x,
    )  # fmt: skip


@case
def embedding_average(k):
    layers = k.layers
    model = k.Sequential(
        [layers.Embedding(12, 4, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(1, "sigmoid")]
    )
    model.build((None, 6))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", "AUC"])
    return model, [words(6, 12)], [bits()]


@case
def sparse_labels(k):
    model = k.Sequential([k.layers.Dense(5, "relu", input_shape=(4,)), k.layers.Dense(3)])
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = ["accuracy", k.metrics.SparseTopKCategoricalAccuracy(k=2, name="top_2")]
    model.compile("adam", loss, metrics=metrics)
    return model, [wave(4)], [classes(3).argmax(1).astype("int32")]


@case
def convolutions(k):
    layers = k.layers
    return chain(
        k, (7, 6, 4), layers.Conv2D(4, (3, 2), padding="same", dilation_rate=2, activation="relu"),
        layers.SeparableConv2D(5, 3, depth_multiplier=2, padding="same", activation="tanh"),
        layers.DepthwiseConv2D(2, strides=2, depth_multiplier=2), layers.Conv2D(4, 1, groups=2),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"), layers.Flatten(), layers.Dense(2),
    )  # fmt: skip


@case
def convolutions_1d(k):
    layers = k.layers
    return chain(
        k, (9, 3), layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu"),
        layers.SeparableConv1D(4, 3, padding="same"), layers.DepthwiseConv1D(3, strides=2),
        layers.Conv1DTranspose(3, 2, strides=2, output_padding=1), layers.MaxPooling1D(2), layers.Flatten(),
        layers.Dense(2),
    )  # fmt: skip


@case
def shapes(k):
    layers = k.layers
    return chain(
        k, (6, 6, 2), layers.ZeroPadding2D(((1, 0), (2, 1))), layers.Cropping2D(((1, 0), (0, 1))),
        layers.UpSampling2D((1, 2)), layers.AveragePooling2D((2, 3), padding="same"), layers.Conv2D(3, 2),
        layers.MaxPooling2D(2, 1), layers.Reshape((-1, 3)), layers.Permute((2, 1)), layers.ZeroPadding1D(1),
        layers.Cropping1D((0, 1)), layers.UpSampling1D(2), layers.AveragePooling1D(2), layers.GlobalMaxPooling1D(),
        layers.RepeatVector(2), layers.Flatten(), layers.Dense(2),
    )  # fmt: skip


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
def attention(k):
    query, value = k.Input((3, 4)), k.Input((5, 4))
    one = k.layers.Attention(use_scale=True)([query, value])
    other = k.layers.AdditiveAttention()([query, value])
    x = k.layers.LayerNormalization()(k.layers.add([one, other, query]))
    model = k.Model([query, value], k.layers.Dense(2)(k.layers.Flatten()(x)))
    model.compile("adam", "mse")
    return model, [wave(3, 4), wave(5, 4, phase=1.0)], [wave(2, phase=1.0)]


@case
def transformer(k):
    layers = k.layers
    entry = k.Input((6,), dtype="int32")
    x = layers.Embedding(12, 8)(entry)
    y = layers.MultiHeadAttention(2, 4)(x, x)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, y]))
    y = layers.Dense(8)(layers.Dense(10, "gelu")(x))
    x = layers.LayerNormalization(epsilon=1e-6)(layers.add([x, y]))
    z = layers.MultiHeadAttention(2, 3, value_dim=3, use_bias=False)(query=x, value=y, key=x)
    model = k.Model(entry, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(z)))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, [words(6, 12)], [classes(3)]


@case
def masked_transformer(k):
    layers = k.layers
    entry = k.Input((6,), dtype="int32")
    x = layers.Embedding(12, 8, mask_zero=True)(entry)
    x = layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)
    model = k.Model(entry, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, [words(6, 12)], [classes(3)]


@case
def normalizations(k):
    layers = k.layers
    return chain(
        k, (4, 4, 6), layers.LayerNormalization(axis=[2, 3], scale=False), layers.GroupNormalization(3),
        layers.BatchNormalization(axis=1), layers.UnitNormalization(), layers.Flatten(), layers.Dense(2),
        optimizer="sgd",
    )  # fmt: skip


@case
def activations(k):
    names = ["elu", "selu", "gelu", "swish", "softplus", "softsign", "exponential", "hard_sigmoid", "sigmoid"]
    layers = k.layers
    stack = [layers.Dense(4, name, kernel_initializer="he_normal") for name in names]
    more = [layers.PReLU(), layers.LeakyReLU(), layers.ELU(0.5), layers.ReLU(6.0, 0.1, 0.2), layers.Softmax()]
    return chain(k, (4,), *stack, layers.Dense(4), *more, layers.Dense(2))


@case
def regularizers_and_constraints(k):
    layers, r, c = k.layers, k.regularizers, k.constraints
    return chain(
        k, (4,), layers.Dense(6, "relu", kernel_regularizer=r.l1_l2(0.01, 0.02), kernel_constraint=c.max_norm(0.9)),
        layers.Dense(5, "tanh", bias_regularizer=r.l1(0.01), activity_regularizer=r.l2(0.01)),
        layers.Dense(4, kernel_constraint="non_neg"),
        layers.Dense(4, kernel_regularizer=r.OrthogonalRegularizer(0.01), kernel_constraint=c.UnitNorm(axis=1)),
        layers.ActivityRegularization(l1=0.01),
        layers.Dense(2, kernel_constraint=c.MinMaxNorm(0.1, 0.8, 0.5), kernel_regularizer="l2"),
    )  # fmt: skip


@case
def initializers(k):
    i = k.initializers
    makers = [
        i.RandomNormal(0.1, 0.2), i.RandomUniform(-0.3, 0.3), i.TruncatedNormal(0.0, 0.3), i.Orthogonal(0.8),
        i.VarianceScaling(2.0, "fan_out"), i.Identity(0.5), i.GlorotNormal(), i.HeUniform(), i.LecunNormal(),
        i.Constant(0.3),
    ]  # fmt: skip
    return chain(k, (4,), *[k.layers.Dense(4, "tanh", kernel_initializer=m, bias_initializer="ones") for m in makers])


@case
def losses_and_metrics(k):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(1, "sigmoid")])
    m = k.metrics
    found = [
        m.BinaryAccuracy(name="half", threshold=0.4), m.Precision(), m.Recall(thresholds=0.3), m.AUC(num_thresholds=50),
        m.MeanSquaredError(name="square"), m.RootMeanSquaredError(), "mae", m.FalsePositives(), m.TruePositives(),
        m.BinaryCrossentropy(from_logits=False), m.Hinge(),
    ]  # fmt: skip
    model.compile("adam", k.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=found)
    return model, [wave(4)], [bits()]


@case
def class_metrics(k):
    model = k.Sequential([k.layers.Dense(5, "tanh", input_shape=(4,)), k.layers.Dense(3, "softmax")])
    m = k.metrics
    found = [
        "acc",
        m.CategoricalAccuracy(),
        m.TopKCategoricalAccuracy(2),
        m.KLDivergence(),
        m.CosineSimilarity(axis=-1),
    ]
    loss = k.losses.CategoricalCrossentropy(label_smoothing=0.2)
    model.compile("adam", loss, metrics=found, weighted_metrics=["categorical_crossentropy"])
    return model, [wave(4)], [classes(3)]


def of_loss(name, make):
    CASES[f"loss_{name}"] = lambda k: mlp(k, "adam", make(k.losses), metrics=["mse", "mean_absolute_error"])


LOSSES = {
    "mae": lambda o: "mae",
    "huber": lambda o: o.Huber(0.5),
    "log_cosh": lambda o: o.LogCosh(),
    "cosine": lambda o: o.CosineSimilarity(),
    "hinge": lambda o: "squared_hinge",
    "function": lambda o: o.mean_squared_logarithmic_error,
    "sum": lambda o: o.MeanSquaredError(reduction="sum"),
}
for _name, _make in LOSSES.items():
    of_loss(_name, _make)


@case
def rescaling(k):
    layers = k.layers
    return chain(
        k, (4, 4, 3), layers.Rescaling(0.5, offset=0.1), layers.Conv2D(3, 2), layers.Flatten(), layers.Dense(2)
    )


@case
def float64(k):
    stack = [k.layers.Dense(5, "tanh", dtype="float64"), k.layers.Dense(2, dtype="float64")]
    model = k.Sequential([k.layers.InputLayer(input_shape=(4,), dtype="float64"), *stack])
    model.compile("adam", "mse")
    return model, [wave(4)], [wave(2, phase=1.0)]


@case
def built_on_first_data(k):
    model = k.Sequential([k.layers.Dense(5, "tanh"), k.layers.Dense(2)])
    model.compile("adam", "mse", metrics=["mse"])
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
def masks_in_a_functional_model(k):
    layers = k.layers
    entry, values = k.Input((6,), dtype="int32"), k.Input((6, 3))
    x = layers.Embedding(12, 4, mask_zero=True)(entry)
    y = layers.LSTM(4, return_sequences=True)(layers.Masking(-1.0)(values))
    z = layers.concatenate([layers.Bidirectional(layers.GRU(2, return_sequences=True))(x), y])
    z = layers.add([layers.TimeDistributed(layers.Dense(4))(z), x])
    model = k.Model([entry, values], layers.Dense(2)(layers.SimpleRNN(3)(layers.Dropout(0.0)(z))))
    model.compile("adam", "mse")
    some = wave(6, 3)
    some[::2, 3:] = -1.0
    return model, [words(6, 12), some], [wave(2, phase=1.0)]


@case
def masked_attention(k):
    layers = k.layers
    entry, other = k.Input((6,), dtype="int32"), k.Input((5,), dtype="int32")
    embedding = layers.Embedding(12, 4, mask_zero=True)
    query, value = embedding(entry), embedding(other)
    x = layers.add([layers.Attention()([query, value]), layers.MultiHeadAttention(2, 3)(query, value)])
    model = k.Model([entry, other], layers.Dense(2)(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "mse")
    return model, [words(6, 12), words(5, 12)], [wave(2, phase=1.0)]


@case
def nested_masks(k):
    layers = k.layers
    inner = k.Sequential([layers.Embedding(12, 4, mask_zero=True), layers.LSTM(3, return_sequences=True)])
    inner.build((None, 6))
    entry = k.Input((6,))
    model = k.Model(entry, layers.Dense(2)(layers.GRU(3)(inner(entry))))
    model.compile("adam", "mse")
    return model, [words(6, 12)], [wave(2, phase=1.0)]


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
