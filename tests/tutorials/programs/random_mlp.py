"""The first network of Keras's guide to the Sequential model: classes of random points."""

import numpy as np
from keras.layers import Activation, Dense, Dropout
from keras.models import Sequential
from keras.optimizers import SGD
from keras.utils import to_categorical

rng = np.random.RandomState(0)
x_train = rng.random_sample((500, 20))
y_train = to_categorical(rng.randint(10, size=(500, 1)), num_classes=10)
x_test = rng.random_sample((100, 20))
y_test = to_categorical(rng.randint(10, size=(100, 1)), num_classes=10)

model = Sequential()
model.add(Dense(64, activation="relu", input_dim=20))
model.add(Dropout(0.5))
model.add(Dense(64))
model.add(Activation("relu"))
model.add(Dropout(0.5))
model.add(Dense(10, activation="softmax"))

sgd = SGD(learning_rate=0.01, momentum=0.9, nesterov=True)
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
print(model.summary())

history = model.fit(x_train, y_train, epochs=20, batch_size=128)
score = model.evaluate(x_test, y_test, batch_size=128)
print(model.metrics_names[0], "and accuracy:", score)
