"""Recognise handwritten digits with a convolutional network, on images shifted and turned at random.

Alone:          python examples/mnist_cnn.py
On four ranks:  mpirun -n 4 python examples/mnist_cnn.py
"""

import argparse

from mnist import load_digits

import distnet as keras
from distnet.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from distnet.models import Sequential
from distnet.preprocessing.image import ImageDataGenerator

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--verbose", type=int, default=1)
options = parser.parse_args()

keras.utils.set_random_seed(1)
(x_train, y_train), (x_test, y_test) = load_digits()
x_train = x_train.reshape(-1, 28, 28, 1).astype("float32") / 255
x_test = x_test.reshape(-1, 28, 28, 1).astype("float32") / 255
y_train, y_test = keras.utils.to_categorical(y_train, 10), keras.utils.to_categorical(y_test, 10)

model = Sequential()
model.add(Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)))
model.add(Conv2D(64, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(128, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()

images = ImageDataGenerator(rotation_range=10, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
model.fit(
    images.flow(x_train, y_train, batch_size=options.batch_size),
    epochs=options.epochs,
    verbose=options.verbose,
    validation_data=(x_test, y_test),
)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
if keras.distribution.is_chief():
    print("Test loss:", loss)
    print("Test accuracy:", accuracy)
