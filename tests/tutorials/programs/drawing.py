"""A model of two inputs, drawn to files, then trained."""

import numpy as np
from keras.layers import Dense, Input, concatenate
from keras.models import Model
from keras.utils import plot_model

rng = np.random.RandomState(5)
words, numbers = rng.rand(30, 6), rng.rand(30, 3)
prices = words.sum(axis=1) + numbers[:, 0]

first = Input(shape=(6,), name="words")
second = Input(shape=(3,), name="numbers")
joined = concatenate([Dense(4, activation="relu")(first), second])
model = Model(inputs=[first, second], outputs=Dense(1, name="price")(joined))
plot_model(model, to_file="net.png", show_shapes=True, show_layer_names=True)
plot_model(model, to_file="net.svg", rankdir="LR")

model.compile("sgd", "mse")
history = model.fit([words, numbers], prices, epochs=2, batch_size=10, verbose=0)

with open("net.png", "rb") as png, open("net.svg", encoding="utf-8") as svg:
    print("a picture", png.read(4) == b"\x89PNG", "price" in svg.read())
