"""Layers as Keras's guides write them, in small models, for any module that is like ``keras``.

Each case is a function that makes a model and its input; ``trained`` trains it from given weights.
"""

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = RNG.normal(size=(24, 3)).astype("float32")
SEQUENCES = RNG.normal(size=(24, 5, 6)).astype("float32")
IMAGES = RNG.normal(size=(24, 6, 6, 2)).astype("float32")
IDS = RNG.integers(0, 7, size=(24, 5))
IDS[:, 3:] = 0
STATES = ("moving_mean", "moving_variance", "total", "mean_so_far")


def layers_of(keras):
    """The classes, and a function, by name."""
    layers, ops = keras.layers, keras.ops

    class Linear(layers.Layer):
        def __init__(self, units=32, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True)
            self.b = self.add_weight(shape=(self.units,), initializer="random_normal", trainable=True)

        def call(self, inputs):
            return ops.matmul(inputs, self.w) + self.b

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class ComputeSum(layers.Layer):
        def __init__(self, input_dim, **kwargs):
            super().__init__(**kwargs)
            self.input_dim = input_dim
            self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False, name="total")

        def call(self, inputs):
            self.total.assign_add(ops.sum(inputs, axis=0))
            return inputs + 0.01 * self.total

        def get_config(self):
            return {**super().get_config(), "input_dim": self.input_dim}

    class Blocks(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [layers.Dense(5, activation="tanh") for _ in range(2)]
            self.named = {"out": layers.Dense(3), "beside": [Linear(3)]}

        def call(self, inputs):
            h = inputs
            for block in self.blocks:
                h = block(h)
            return self.named["out"](h) + self.named["beside"][0](inputs)

    class Penalty(layers.Layer):
        def call(self, inputs):
            self.add_loss(1e-2 * ops.mean(ops.square(inputs)))
            return inputs

    class Penalized(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.penalty = Penalty()
            self.dense = layers.Dense(3, kernel_regularizer=keras.regularizers.L2(1e-3), activity_regularizer="l2")

        def call(self, inputs):
            return self.dense(self.penalty(inputs))

    class Shared(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.twice = layers.Dense(6, activation="tanh")
            self.out = layers.Dense(3)

        def call(self, inputs):
            return self.out(self.twice(self.twice(inputs)))

    class Products(layers.Layer):
        def build(self, input_shape):
            a, b = input_shape
            self.w = self.add_weight(shape=(a[-1], b[-1]), name="w")

        def call(self, inputs):
            a, b = inputs
            return ops.matmul(a, self.w) * b

    class Keyword(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.of_query, self.of_key = layers.Dense(4), layers.Dense(4)

        def call(self, query, key=None, scale=1.0):
            y = self.of_query(query)
            return y if key is None else y * self.of_key(key) * scale

    class TwoOutputs(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.a, self.b = layers.Dense(3), layers.Dense(3)

        def call(self, x):
            return self.a(x), {"b": self.b(x)}

    class OverTheBatch(layers.Layer):
        def call(self, x):
            mean = ops.mean(x, axis=0, keepdims=True)
            variance = ops.mean(ops.square(x - mean), axis=0, keepdims=True)
            return (x - mean) / ops.sqrt(variance + 1e-3)

    class Convolutions(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.conv = layers.Conv2D(4, 3, padding="same")
            self.norm = layers.BatchNormalization()
            self.pool, self.flat, self.out = layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3)

        def call(self, x, training=False):
            x = ops.relu(self.norm(self.conv(x), training=training))
            return self.out(self.flat(self.pool(x)))

    class Transformer(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.attention = layers.MultiHeadAttention(2, 3)
            self.norm = layers.LayerNormalization(epsilon=1e-6)
            self.feed = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(6)])
            self.pool, self.out = layers.GlobalAveragePooling1D(), layers.Dense(3)

        def call(self, x):
            x = self.norm(x + self.attention(x, x))
            return self.out(self.pool(x + self.feed(x)))

    class Positions(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.tokens, self.places, self.out = layers.Embedding(7, 6), layers.Embedding(5, 6), layers.Dense(3)

        def call(self, ids):
            places = ops.arange(0, ops.shape(ids)[-1], 1)
            return self.out(ops.mean(self.tokens(ids) + self.places(places), axis=1))

    class MaskedMean(layers.Layer):
        def call(self, x, mask=None):
            counts = ops.cast(ops.expand_dims(mask, -1), x.dtype)
            return ops.sum(x * counts, axis=1) / ops.sum(counts, axis=1)

        def compute_mask(self, inputs, previous_mask=None):
            return None

    class OfKeras2(layers.Layer):
        def __init__(self, units, **kwargs):
            self.units = units
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.kernel = self.add_weight(
                name="kernel", shape=(input_shape[1], self.units), initializer="uniform", regularizer="l2",
                constraint="non_neg", trainable=True,
            )  # fmt: skip
            super().build(input_shape)

        def call(self, x):
            return ops.dot(x, self.kernel)

        def compute_output_shape(self, input_shape):
            return (input_shape[0], self.units)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Frozen(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.frozen, self.trained = layers.Dense(5, trainable=False), Linear(3)

        def call(self, x):
            return self.trained(self.frozen(x))

    class MovingMean(layers.Layer):
        def build(self, input_shape):
            self.mean = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean_so_far"
            )

        def call(self, x, training=None):
            if training:
                self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(x, axis=0))
            return x - self.mean

    class Doubled(layers.Dense):
        def call(self, inputs):
            return super().call(inputs) * 2.0

    class Scaled(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.scale = keras.Variable(np.full((6, 3), 0.1, "float32"), name="scale")

        def call(self, x):
            return ops.matmul(x, self.scale)

    def distance(pair):
        a, b = pair
        return ops.sqrt(ops.sum(ops.square(a - b), axis=1, keepdims=True) + 1e-6)

    return {name: value for name, value in locals().items() if name not in ("keras", "layers", "ops")}


def models_of(keras, own):
    """The cases: name -> a function that makes a model, and the input to train it on."""
    layers = keras.layers

    def model(make, shape=(6,), **options):
        inputs = keras.Input(shape, **options)
        return keras.Model(inputs, make(inputs))

    def pair():
        a, b = keras.Input((6,)), keras.Input((3,))
        return keras.Model([a, b], own["Products"]()([a, b]))

    def outputs(x):
        a, rest = own["TwoOutputs"]()(x)
        return a * rest["b"]

    def masked(ids):
        return layers.Dense(3)(own["MaskedMean"]()(layers.Embedding(7, 4, mask_zero=True)(ids)))

    def siamese(x):
        dense = layers.Dense(4)
        return layers.Dense(3)(layers.Lambda(own["distance"])([dense(x), dense(x * x)]))

    def alone(name, *args, shape=(6,), **options):
        return lambda: model(lambda x: own[name](*args)(x), shape, **options)

    def before_linear(name, *args):
        return lambda: model(lambda x: own["Linear"](3)(own[name](*args)(x)))

    return {
        "unbuilt": (lambda: keras.Sequential([own["Linear"](4), own["Linear"](3)]), X),
        "state": (before_linear("ComputeSum", 6), X),
        "lists and dicts": (alone("Blocks"), X),
        "losses": (alone("Penalized"), X),
        "shared weights": (alone("Shared"), X),
        "two inputs": (pair, [X, Y]),
        "keyword": (lambda: model(lambda x: layers.Dense(3)(own["Keyword"]()(x, key=x, scale=0.5))), X),
        "outputs": (lambda: model(outputs), X),
        "over the batch": (before_linear("OverTheBatch"), X),
        "convolutions": (alone("Convolutions", shape=(6, 6, 2)), IMAGES),
        "transformer": (alone("Transformer", shape=(5, 6)), SEQUENCES),
        "positions": (alone("Positions", shape=(5,), dtype="int32"), IDS),
        "masks": (lambda: model(masked, (5,), dtype="int32"), IDS),
        "of Keras 2": (alone("OfKeras2", 3), X),
        "frozen": (alone("Frozen"), X),
        "moving mean": (before_linear("MovingMean"), X),
        "derived": (alone("Doubled", 3, "tanh"), X),
        "variable": (alone("Scaled"), X),
        "Lambda": (lambda: model(siamese), X),
    }


def first_weights(model):
    """Values to start from, which depend on the shapes alone."""
    rng = np.random.default_rng(5)
    return [
        np.array(w) if w.path.rpartition("/")[2] in STATES else rng.normal(size=w.shape) * 0.3 for w in model.weights
    ]


def trained(keras, make, x, steps):
    """The model, the losses of ``steps`` batches of 8 rows, and its predictions."""
    model = make()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    if not model.built:
        model.build((None, 6))
    model.set_weights(first_weights(model))
    losses = []
    for step in range(steps):
        rows = slice(8 * (step % 3), 8 * (step % 3) + 8)
        part = [a[rows] for a in x] if isinstance(x, list) else x[rows]
        made = model.train_on_batch(part, Y[rows])
        losses.append(float(np.ravel(made)[0]))
    return model, losses, np.asarray(model.predict(x, verbose=0, batch_size=8))
