"""Keras 2's example mnist_cnn.py, small, with an ImageDataGenerator and fit_generator."""

import keras
from keras import backend as K
from keras.callbacks import ReduceLROnPlateau
from keras.datasets import mnist
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.layers.core import Dense, Dropout, Flatten
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator
from keras.utils.np_utils import to_categorical

K.set_image_data_format("channels_last")
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[:300].reshape(300, 28, 28, 1).astype("float32") / 255
x_test = x_test[:100].reshape(100, 28, 28, 1).astype("float32") / 255
y_train, y_test = to_categorical(y_train[:300], 10), to_categorical(y_test[:100], 10)

model = Sequential()
model.add(Conv2D(4, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)))
model.add(BatchNormalization())
model.add(Conv2D(8, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(16, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(10, activation="softmax"))
model.compile(loss=keras.losses.categorical_crossentropy, optimizer=keras.optimizers.Adadelta(lr=1.0), metrics=["acc"])

datagen = ImageDataGenerator(rotation_range=10, zoom_range=0.1, width_shift_range=0.1, height_shift_range=0.1)
datagen.fit(x_train)
reduction = ReduceLROnPlateau(monitor="val_acc", patience=1, factor=0.5, min_lr=0.00001)
history = model.fit_generator(
    datagen.flow(x_train, y_train, batch_size=32),
    epochs=2,
    validation_data=(x_test, y_test),
    verbose=2,
    steps_per_epoch=x_train.shape[0] // 32,
    callbacks=[reduction],
)
score = model.evaluate(x_test, y_test, verbose=0)
print("Test loss:", score[0], "accuracy:", score[1])
assert history.history["val_acc"][-1] == score[1]
