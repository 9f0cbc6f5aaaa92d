"""Two branches of Keras 1, merged, trained with its arguments and read by its names."""

import warnings

import numpy as np
from keras.layers import Convolution2D, Flatten, MaxPooling2D, Merge
from keras.layers.core import Dense, Dropout
from keras.models import Sequential
from keras.utils import np_utils

warnings.filterwarnings("ignore", "(?s).*Keras")

nb_epoch = 3
images = np.random.rand(48, 8, 8, 1)
numbers = np.random.rand(48, 5)
labels = np_utils.to_categorical((numbers.sum(axis=1) > 2.5).astype(int), 2)

left = Sequential()
left.add(Convolution2D(4, 3, 3, border_mode="same", init="he_normal", activation="relu", input_shape=(8, 8, 1)))
left.add(MaxPooling2D(pool_size=(2, 2), border_mode="valid"))
left.add(Flatten())

right = Sequential()
right.add(Dense(output_dim=6, input_dim=5, activation="tanh"))

model = Sequential()
model.add(Merge([left, right], mode="concat"))
model.add(Dropout(p=0.2))
model.add(Dense(2, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])

history = model.fit([images, numbers], labels, nb_epoch=nb_epoch, batch_size=16, verbose=0, validation_split=0.25)
print("val_acc", len(history.history["val_acc"]))
