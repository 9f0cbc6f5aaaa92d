"""A record and callbacks by the keys that Keras had before 2.3: ``acc`` and ``val_acc``."""

import warnings

import numpy as np
from keras.callbacks import Callback, EarlyStopping, ModelCheckpoint
from keras.layers import Dense, Dropout
from keras.models import Sequential, load_model

warnings.filterwarnings("ignore", "(?s).*Keras")

rng = np.random.RandomState(3)
x = rng.rand(80, 5)
y = (x.sum(axis=1) > 2.5).astype(int)


class Accuracies(Callback):
    def __init__(self):
        super().__init__()
        self.values = []

    def on_epoch_end(self, epoch, logs=None):
        self.values.append(logs.get("acc"))


model = Sequential()
model.add(Dense(8, activation="relu", input_dim=5))
model.add(Dropout(0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

accuracies = Accuracies()
callbacks = [
    EarlyStopping(monitor="val_acc", patience=9),
    ModelCheckpoint("best.h5", monitor="val_acc", save_best_only=True, mode="max"),
    accuracies,
]
history = model.fit(x, y, epochs=3, validation_split=0.25, callbacks=callbacks, verbose=0)
acc, val_acc = history.history["acc"], history.history["val_acc"]
print("epochs", len(acc), len(val_acc))
print("seen", accuracies.values in ([], acc))
print("best", max(val_acc) == load_model("best.h5").evaluate(x[60:], y[60:], verbose=0)[1])
