"""A network of images whose shapes are asked of the backend, whichever format it has."""

import numpy as np
from keras import backend as K
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D, Reshape
from keras.models import Model

rows, columns = 8, 6
images = np.random.RandomState(0).rand(40, rows, columns)
labels = (images.mean(axis=(1, 2)) > 0.5).astype("int32")
if K.image_data_format() == "channels_first":
    images = images.reshape(-1, 1, rows, columns)
    input_shape = (1, rows, columns)
else:
    images = images.reshape(-1, rows, columns, 1)
    input_shape = (rows, columns, 1)

inputs = Input(shape=input_shape)
x = Conv2D(3, (3, 3), padding="same", activation="relu")(inputs)
x = MaxPooling2D()(x)
shape = K.int_shape(x)
x = Dense(shape[1] * shape[2] * shape[3], activation="relu")(Flatten()(x))
x = Reshape(shape[1:])(x)
x = Dropout(0.25)(Flatten()(x))
model = Model(inputs, Dense(2, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(images, labels, batch_size=16, epochs=2, verbose=0)
print("pooled", shape, K.floatx(), K.epsilon())
K.set_value(model.optimizer.lr, 0.5 * K.get_value(model.optimizer.lr))
print("rate", round(float(K.get_value(model.optimizer.lr)), 6))
