"""A first network: two classes of random points.

Alone:          python examples/random_mlp.py
On four ranks:  mpirun -n 4 python examples/random_mlp.py
"""

import numpy as np

import distnet as keras
from distnet.layers import Dense, Dropout
from distnet.models import Sequential

keras.utils.set_random_seed(7)

rng = np.random.default_rng(7)
x_train = rng.random((1000, 20))
y_train = rng.integers(2, size=(1000, 1))
x_test = rng.random((100, 20))
y_test = rng.integers(2, size=(100, 1))

model = Sequential()
model.add(Dense(64, input_dim=20, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(64, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])

model.fit(x_train, y_train, epochs=20, batch_size=128, verbose=2)
score = model.evaluate(x_test, y_test, batch_size=128, verbose=0)
if keras.distribution.is_chief():
    print("Test loss and accuracy:", score)
