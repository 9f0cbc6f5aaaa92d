"""A model shown before it is built, layers that start from given weights, and one list of metrics for two outputs."""

import warnings

import numpy as np
from keras import backend as K
from keras.callbacks import TensorBoard
from keras.layers import Dense, Embedding, GlobalAveragePooling1D, Input
from keras.models import Model, Sequential

warnings.filterwarnings("ignore", ".*embeddings")

Sequential([Dense(4, activation="relu"), Dense(1)]).summary()
K.clear_session()

rng = np.random.RandomState(11)
vectors = rng.normal(size=(20, 5))
texts = rng.randint(0, 20, (36, 7))
moods = (vectors[texts].mean(axis=(1, 2)) > 0).astype(float)

inputs = Input(shape=(7,))
x = Embedding(20, 5, weights=[vectors], trainable=False)(inputs)
x = GlobalAveragePooling1D()(x)
print("pooled", x.shape.as_list())
mood = Dense(1, activation="sigmoid", name="mood")(x)
strength = Dense(1, name="strength", weights=[np.ones((5, 1)), np.zeros(1)])(x)
model = Model(inputs, [mood, strength])
print("first", [layer.name for layer in model.layers if isinstance(layer, Dense)])
model.compile("adam", loss=["binary_crossentropy", "mse"], metrics=["mae"])
board = TensorBoard(log_dir="logs", embeddings_freq=1, embeddings_layer_names=["embedding"])
history = model.fit(texts, [moods, 2 * moods], epochs=2, batch_size=8, callbacks=[board], verbose=0)
print("kept", np.allclose(model.layers[1].get_weights()[0], vectors))
