"""Programs whose data are not what their models are called on: a graph's nodes by number, the steps of a game."""

import numpy as np
from users_setting import EPOCHS, keras, layers, ops


class GraphAttention(layers.Layer):
    """Each node's mean of its neighbours, weighted by attention."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(input_shape[0][-1], self.units), name="kernel")
        self.kernel_attention = self.add_weight(shape=(self.units * 2, 1), name="kernel_attention")

    def call(self, inputs):
        node_states, edges = inputs
        transformed = ops.matmul(node_states, self.kernel)
        pairs = ops.reshape(ops.take(transformed, edges, axis=0), (ops.shape(edges)[0], -1))
        scores = ops.squeeze(ops.leaky_relu(ops.matmul(pairs, self.kernel_attention)), -1)
        scores = ops.exp(ops.clip(scores, -2, 2))
        nodes = ops.shape(node_states)[0]
        sums = ops.segment_sum(scores, edges[:, 0], num_segments=nodes)
        shares = scores / ops.take(sums, edges[:, 0], axis=0)
        neighbours = ops.take(transformed, edges[:, 1], axis=0)
        return ops.segment_sum(neighbours * shares[:, None], edges[:, 0], num_segments=nodes)


class GraphAttentionNetwork(keras.Model):
    """Knows the graph; its step is handed numbers of nodes."""

    def __init__(self, node_states, edges):
        super().__init__()
        self.node_states, self.edges = node_states, edges
        self.preprocess = layers.Dense(6, activation="relu")
        self.attention_layers = [GraphAttention(6) for _ in range(2)]
        self.output_layer = layers.Dense(3)

    def call(self, inputs):
        node_states, edges = inputs
        x = self.preprocess(node_states)
        for layer in self.attention_layers:
            x = layer([x, edges]) + x
        return self.output_layer(x)

    def train_step(self, data):
        indices, labels = data
        with keras.GradientTape() as tape:
            outputs = ops.take(self([self.node_states, self.edges]), indices, axis=0)
            loss = self.compute_loss(y=labels, y_pred=outputs)
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.trainable_weights, strict=True))
        return {"loss": loss}

    def predict_step(self, data):
        return ops.nn.softmax(ops.take(self([self.node_states, self.edges]), data, axis=0))


def graph_attention():
    rng = np.random.default_rng(4)
    states, edges, labels = rng.normal(size=(30, 5)), rng.integers(0, 30, (90, 2)), rng.integers(0, 3, 30)
    model = GraphAttentionNetwork(states, edges)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=loss, optimizer=keras.optimizers.SGD(0.05, momentum=0.9))
    history = model.fit(np.arange(20), labels[:20], batch_size=6, epochs=EPOCHS, verbose=0).history
    return [*history["loss"], *model.predict(np.arange(20, 30), verbose=0).ravel()], model


def actor_critic():
    entry = layers.Input((4,))
    common = layers.Dense(8, activation="relu")(entry)
    model = keras.Model(entry, [layers.Dense(2, activation="softmax")(common), layers.Dense(1)(common)])
    optimizer, huber = keras.optimizers.Adam(0.01), keras.losses.Huber()
    rng, losses = np.random.default_rng(0), []
    turn = rng.normal(size=(4, 4)) * 0.3
    for _ in range(EPOCHS):
        state, chosen, values, rewards = rng.normal(size=4), [], [], []
        with keras.GradientTape() as tape:
            for _ in range(6):
                probabilities, value = model(ops.expand_dims(ops.convert_to_tensor(state), 0))
                action = rng.choice(2, p=np.squeeze(probabilities) / np.sum(np.squeeze(probabilities)))
                chosen.append(ops.log(probabilities[0, action]))
                values.append(value[0, 0])
                state = turn @ state + (action - 0.5)
                rewards.append(-np.abs(state).sum())
            returns = np.cumsum(rewards[::-1])[::-1]
            returns = (returns - returns.mean()) / returns.std()
            pairs = list(zip(chosen, values, returns, strict=True))
            actor = sum(-log * (gained - value) for log, value, gained in pairs)
            critic = sum(huber(ops.expand_dims(v, 0), ops.expand_dims(gained, 0)) for _, v, gained in pairs)
            loss = actor + critic
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        losses.append(float(loss))
    return losses, model
