"""The optimizers and losses that Keras 3 added: Muon, schedule-free AdamW, CTC, circle and others."""

import keras
import numpy as np
from keras import layers

rng = np.random.RandomState(2)
x = rng.normal(size=(45, 6)).astype("float32")
classes = np.argmax(x[:, :3], axis=1)
rows = {}

optimizers = {
    "muon": keras.optimizers.Muon(0.02),
    "schedule_free": keras.optimizers.ScheduleFreeAdamW(0.02),
    "lion": keras.optimizers.Lion(0.01),
    "lamb": keras.optimizers.Lamb(0.01),
    "adafactor": keras.optimizers.Adafactor(0.01),
}
for name, optimizer in optimizers.items():
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.1), layers.Dense(3, "softmax")])
    model.compile(optimizer, keras.losses.CategoricalFocalCrossentropy(), metrics=["accuracy"])
    rows[name] = model.fit(x, np.eye(3)[classes], epochs=2, batch_size=16, verbose=0).history["loss"]

model = keras.Sequential([layers.Dense(4), layers.UnitNormalization()])
model.compile("adam", keras.losses.Circle(gamma=2.0))
rows["circle"] = model.fit(x, classes, epochs=2, batch_size=16, verbose=0).history["loss"]

sounds = rng.normal(size=(20, 9, 4)).astype("float32")
letters = rng.randint(1, 5, (20, 3))
model = keras.Sequential([layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.Dense(6)])
model.compile(keras.optimizers.Nadam(0.01), keras.losses.CTC())
history = model.fit(sounds, letters, epochs=2, batch_size=8, verbose=0)
history.history.update(rows)
print("trained", sum(np.isfinite(losses).all() for losses in history.history.values()))
