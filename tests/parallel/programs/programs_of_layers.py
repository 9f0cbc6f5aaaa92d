"""Programs of Keras's guides with layers of their authors'."""

import numpy as np
from users_setting import LABELS, RATE, X, Y, keras, layers, ops, trained


class Linear(layers.Layer):
    """The custom dense layer of the guide."""

    def __init__(self, units=32, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="glorot_uniform", name="w")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return self.activation(ops.matmul(inputs, self.w) + self.b)


def custom_dense():
    model = keras.Sequential([keras.Input((6,)), Linear(8, "relu"), Linear(2)])
    model.compile("adam", "mse")
    return trained(model, X, Y)["loss"], model


class Standardizer(layers.Layer):
    """A layer with a state, which adds to the loss."""

    def build(self, input_shape):
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def call(self, inputs, training=False):
        y = (inputs - self.mean) * self.scale
        if training:
            self.mean.assign(0.9 * self.mean + 0.1 * ops.mean(inputs, axis=0))
        self.add_loss(1e-2 * ops.mean(ops.square(y)))
        return y


def state_and_added_loss():
    entry = keras.Input((6,))
    model = keras.Model(entry, layers.Dense(2)(Standardizer()(layers.Dense(5, activation="tanh")(entry))))
    model.compile("adam", "mse", metrics=["mae"])
    return trained(model, X, Y)["loss"], model


class Blocks(keras.Model):
    """A list of sublayers."""

    def __init__(self, depth=3, **kwargs):
        super().__init__(**kwargs)
        self.blocks = [layers.Dense(6, activation="tanh") for _ in range(depth)]
        self.dropout = layers.Dropout(RATE)
        self.head = layers.Dense(3, activation="softmax")

    def call(self, inputs, training=None):
        x = inputs
        for block in self.blocks:
            x = x + block(x)
        return self.head(self.dropout(x, training=training))


def list_of_sublayers():
    model = Blocks()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = trained(model, X, LABELS, validation_data=(X, LABELS))
    return [*history["loss"], *history["val_loss"], *history["accuracy"]], model


def euclidean_distance(vects):
    """The distance of the rows of two tensors."""
    x, y = vects
    total = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(total, keras.backend.epsilon()))


def contrastive_loss(y_true, y_pred, margin=1.0):
    """Of Hadsell et al."""
    square_pred = ops.square(y_pred)
    margin_square = ops.square(ops.maximum(margin - y_pred, 0))
    return ops.mean((1 - y_true) * square_pred + y_true * margin_square)


def siamese_network():
    entry = keras.Input((3,))
    tower = keras.Model(entry, layers.Dense(4, activation="tanh")(layers.BatchNormalization()(entry)))
    left, right = keras.Input((3,)), keras.Input((3,))
    merged = layers.Lambda(euclidean_distance, output_shape=(1,))([tower(left), tower(right)])
    model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(layers.BatchNormalization()(merged)))
    model.compile(loss=contrastive_loss, optimizer="rmsprop", metrics=["accuracy"])
    labels = (LABELS > 0).astype("float64")
    history = trained(model, [X[:, :3], X[:, 3:]], labels)
    return history["loss"], model


class TransformerBlock(layers.Layer):
    """Attention and a feed-forward network, as in the example of text classification."""

    def __init__(self, embed_dim, num_heads, ff_dim, rate=RATE):
        super().__init__()
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.ffn = keras.Sequential([layers.Dense(ff_dim, activation="relu"), layers.Dense(embed_dim)])
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, inputs):
        attn_output = self.dropout1(self.att(inputs, inputs))
        out1 = self.layernorm1(inputs + attn_output)
        return self.layernorm2(out1 + self.dropout2(self.ffn(out1)))


class TokenAndPositionEmbedding(layers.Layer):
    """Two embeddings, added."""

    def __init__(self, maxlen, vocab_size, embed_dim):
        super().__init__()
        self.token_emb = layers.Embedding(input_dim=vocab_size, output_dim=embed_dim)
        self.pos_emb = layers.Embedding(input_dim=maxlen, output_dim=embed_dim)

    def call(self, x):
        positions = ops.arange(start=0, stop=ops.shape(x)[-1], step=1)
        return self.token_emb(x) + self.pos_emb(positions)


def transformer():
    tokens = np.random.default_rng(4).integers(0, 9, (22, 5))
    entry = keras.Input((5,))
    x = TransformerBlock(4, 2, 6)(TokenAndPositionEmbedding(5, 9, 4)(entry))
    model = keras.Model(entry, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return trained(model, tokens, LABELS % 2)["loss"], model


class MinimalRNNCell(keras.Layer):
    """The cell of the guide."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="uniform", name="recurrent_kernel"
        )

    def call(self, inputs, states):
        prev_output = states[0]
        output = ops.matmul(inputs, self.kernel) + ops.matmul(prev_output, self.recurrent_kernel)
        return output, [output]


def cell_of_ones_own():
    entry = keras.Input((3, 2))
    model = keras.Model(entry, layers.Dense(2)(layers.RNN(MinimalRNNCell(4))(entry)))
    model.compile("adam", "mse")
    return trained(model, X.reshape(22, 3, 2), Y)["loss"], model


class Experts(layers.Layer):
    """A mixture of experts: each row is computed by the two whose gates are the largest."""

    def __init__(self, experts=4, chosen=2, units=3, **kwargs):
        super().__init__(**kwargs)
        self.experts, self.chosen, self.units = experts, chosen, units
        self.gate = layers.Dense(experts)

    def build(self, input_shape):
        self.gate.build(input_shape)
        shape = (self.experts, input_shape[-1], self.units)
        self.w = self.add_weight(shape=shape, initializer="glorot_uniform", name="w")

    def call(self, inputs):
        gates = self.gate(inputs)
        values, chosen = ops.top_k(gates, self.chosen)
        made = ops.einsum("bi,bkiu->bku", inputs, ops.take(self.w, chosen, axis=0))
        self.add_loss(0.01 * ops.sum(ops.square(ops.mean(ops.softmax(gates), axis=0))))
        return ops.sum(made * ops.softmax(values, axis=-1)[..., None], axis=1)


def mixture_of_experts():
    entry = keras.Input((6,))
    model = keras.Model(entry, layers.Dense(2)(Experts()(entry)))
    model.compile("adam", "mse")
    return trained(model, X, Y)["loss"], model


class Quantizer(layers.Layer):
    """The vector quantizer of the VQ-VAE example: gradients go straight through it."""

    def build(self, input_shape):
        self.embeddings = self.add_weight(shape=(input_shape[-1], 5), initializer="random_uniform", name="embeddings")

    def call(self, x):
        distances = (
            ops.sum(x**2, axis=1, keepdims=True) + ops.sum(self.embeddings**2, axis=0)
            - 2 * ops.matmul(x, self.embeddings)
        )  # fmt: skip
        nearest = ops.one_hot(ops.argmin(distances, axis=1), 5, dtype=x.dtype)
        quantized = ops.matmul(nearest, ops.transpose(self.embeddings))
        self.add_loss(0.25 * ops.mean((ops.stop_gradient(quantized) - x) ** 2))
        self.add_loss(ops.mean((quantized - ops.stop_gradient(x)) ** 2))
        return x + ops.stop_gradient(quantized - x)


def vector_quantizer():
    entry = keras.Input((6,))
    model = keras.Model(entry, layers.Dense(6)(Quantizer()(layers.Dense(2)(entry))))
    model.compile("adam", "mse")
    return trained(model, X, X)["loss"], model


class DecoderBlock(layers.Layer):
    """Attends to what came before and to the source, by masks that it makes itself."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.within = layers.MultiHeadAttention(2, 3)
        self.across = layers.MultiHeadAttention(2, 3)
        self.added = layers.Add()

    def build(self, input_shape):
        self.within.build(input_shape[0], input_shape[0])
        self.across.build(input_shape[0], input_shape[1])

    def call(self, inputs):
        target, source, is_word = inputs
        count, steps = ops.shape(target)[0], ops.shape(target)[1]
        causal = ops.arange(steps)[:, None] >= ops.arange(steps)
        causal = ops.tile(ops.reshape(ops.cast(causal, "int32"), (1, steps, steps)), (count, 1, 1))
        words = ops.cast(is_word[:, None, :], "int32")
        x = self.added([target, self.within(target, target, attention_mask=ops.minimum(causal, words))])
        return x + self.across(query=x, value=source, key=source, attention_mask=words)


def masked_decoder():
    entry = keras.Input((6,))
    x = layers.Reshape((3, 2))(entry)
    is_word = layers.Lambda(lambda rows: ops.concatenate([rows[:, :1, 0] < 9.0, rows[:, 1:, 0] > 0.0], axis=1))(x)
    x = DecoderBlock()([x, layers.Dense(2)(x), is_word])
    model = keras.Model(entry, layers.Dense(2)(layers.Flatten()(x)))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return trained(model, X, Y)["loss"], model
