"""Stacks of layers of every kind."""

from .parts import case, chain, classes, wave


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
