"""The two inputs and two outputs of Keras's guide to the functional API: headlines and when they were posted."""

import numpy as np
from keras.layers import LSTM, Dense, Embedding, Input, concatenate
from keras.models import Model

rng = np.random.RandomState(1)
headline_data = rng.randint(1, 100, size=(300, 15))
additional_data = rng.random_sample((300, 5))
labels = (headline_data[:, :3].sum(axis=1) / 150 + additional_data[:, 0] > 1.5).astype("float32").reshape(-1, 1)

main_input = Input(shape=(15,), dtype="int32", name="main_input")
x = Embedding(output_dim=16, input_dim=100)(main_input)
lstm_out = LSTM(8)(x)
auxiliary_output = Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
auxiliary_input = Input(shape=(5,), name="aux_input")
x = concatenate([lstm_out, auxiliary_input])
x = Dense(16, activation="relu")(x)
x = x + Dense(16, activation="relu")(x)
main_output = Dense(1, activation="sigmoid", name="main_output")(x)

model = Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])
model.compile(
    optimizer="rmsprop",
    loss={"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
    loss_weights={"main_output": 1.0, "aux_output": 0.2},
    metrics={"main_output": ["accuracy"], "aux_output": ["accuracy"]},
)
model.summary()
history = model.fit(
    {"main_input": headline_data, "aux_input": additional_data},
    {"main_output": labels, "aux_output": labels},
    epochs=5,
    batch_size=32,
    validation_split=0.1,
)
main, auxiliary = model.predict([headline_data[:4], additional_data[:4]])
print(main.shape, auxiliary.shape, model.count_params())
print([layer.name for layer in model.layers if layer.trainable_variables])
