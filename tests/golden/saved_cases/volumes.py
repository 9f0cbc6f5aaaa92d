"""Volumes, convolutional LSTM, statistics of the data; channels first; layers of Keras 2 alone."""

from .parts import case, chain, wave


@case
def volumes(k):
    layers = k.layers
    return chain(
        k, (4, 5, 6, 2), layers.ZeroPadding3D((0, 1, (1, 0))), layers.Conv3D(3, 2, activation="relu"),
        layers.MaxPooling3D((1, 2, 2)), layers.UpSampling3D((1, 2, 1)), layers.Conv3DTranspose(3, 2, padding="same"),
        layers.Cropping3D((0, 1, 0)), layers.SpatialDropout3D(0.0), layers.AveragePooling3D(2, 1),
        layers.GlobalAveragePooling3D(), layers.Dense(2),
    )  # fmt: skip


@case
def conv_lstm(k):
    layers = k.layers
    return chain(
        k, (3, 5, 4, 2), layers.ConvLSTM2D(3, 2, padding="same", return_sequences=True, activation="tanh"),
        layers.ConvLSTM2D(2, (2, 3), strides=2, go_backwards=True, use_bias=False), layers.Flatten(), layers.Dense(2),
    )  # fmt: skip


@case
def adapted_normalization(k):
    adapted, given = k.layers.Normalization(), k.layers.Normalization(axis=None, mean=0.1, variance=0.5)
    adapted.adapt(wave(4, 3) * [1, 2, 3] + 0.2)
    return chain(k, (4, 3), adapted, given, k.layers.Flatten(), k.layers.Dense(2))


@case
def channels_first(k):
    layers, first = k.layers, {"data_format": "channels_first"}
    return chain(
        k, (2, 7, 6), layers.ZeroPadding2D(((1, 0), (0, 1)), **first), layers.Conv2D(4, 3, activation="relu", **first),
        layers.BatchNormalization(axis=1), layers.SeparableConv2D(4, 2, padding="same", **first),
        layers.MaxPooling2D(2, **first), layers.UpSampling2D(2, **first), layers.Conv2DTranspose(3, 2, **first),
        layers.Cropping2D(1, **first), layers.Flatten(**first), layers.Dense(2),
    )  # fmt: skip


@case
def rms_normalization(k):
    return chain(k, (4, 3), k.layers.RMSNormalization(), k.layers.Flatten(), k.layers.Dense(2))


@case
def locally_connected(k):
    layers = k.layers
    return chain(
        k, (6, 5, 2), layers.LocallyConnected2D(3, 2, strides=(2, 1), activation="tanh"),
        layers.LocallyConnected2D(2, 2, padding="same", implementation=2), layers.Reshape((2, 12)),
        layers.LocallyConnected1D(4, 2, implementation=3, data_format="channels_first"), layers.ThresholdedReLU(0.1),
        layers.Flatten(), layers.Dense(2),
    )  # fmt: skip
