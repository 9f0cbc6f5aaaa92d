"""Models that both Keras and distnet make, by the module ``keras``."""


def every_layer(keras):
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape=(4, 3)),
            layers.Dense(6, activation="relu", kernel_regularizer="l2", bias_constraint="non_neg"),
            layers.Reshape((2, 12)),
            layers.Activation("tanh"),
            layers.Dense(2, use_bias=False, activity_regularizer=keras.regularizers.L1(0.02)),
            layers.Dropout(0.25, noise_shape=(None, 1, 2), seed=3),
            layers.Flatten(),
            layers.Dense(3, "softmax", kernel_initializer=keras.initializers.HeNormal(seed=1), trainable=False),
        ],
        name="every_layer",
    )
