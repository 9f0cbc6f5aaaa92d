"""Training scripts as Keras's users write them, each a function of the module ``keras``.

``make_fit.py`` runs them with Keras itself, ``tests/training/test_golden.py`` with distnet. Numbers come from
formulas, so that both start from the same ones. Each returns named numbers: histories, weights, outputs.
"""

import numpy as np

ROWS, FEATURES, CLASSES = 27, 5, 3


def waves(*shape, frequency=1.0, scale=1.0):
    """Numbers without a pattern, the same everywhere; multiples of 1/1024, so that Keras may cast them."""
    count = int(np.prod(shape))
    return (scale * np.sin(frequency * (1.0 + np.arange(count)) ** 1.3) * 1024).round().reshape(shape) / 1024


X = waves(ROWS, FEATURES)
LABELS = np.floor(1.5 + 1.5 * waves(ROWS, frequency=2.0)).astype("int64").clip(0, CLASSES - 1)
ONE_HOT = np.eye(CLASSES)[LABELS]
BINARY = (LABELS > 0).astype("float64")
TARGETS = waves(ROWS, 2, frequency=3.0)
WEIGHTS = 1.0 + waves(ROWS, frequency=0.7, scale=0.9)
X_VAL, ONE_HOT_VAL, WEIGHTS_VAL = X[:11] * 0.9, ONE_HOT[:11], WEIGHTS[11:22]


def fill(model):
    """Give a built model weights that are the same everywhere."""
    shapes = [w.shape for w in model.get_weights()]
    model.set_weights([waves(*shape, frequency=0.9 + 0.1 * i, scale=0.6) for i, shape in enumerate(shapes)])
    return model


def mlp(keras, units=CLASSES, last="softmax", hidden=None, **compiled):
    model = keras.Sequential(
        [
            keras.Input(shape=(FEATURES,)),
            keras.layers.Dense(6, activation="tanh", **(hidden or {})),
            keras.layers.Dense(units, activation=last),
        ]
    )
    options = {"optimizer": keras.optimizers.SGD(0.5), "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
    model.compile(**{**options, **compiled})
    return fill(model)


def trained(model, x=X, y=ONE_HOT, **options):
    """The history and the final weights of a training."""
    options = {"batch_size": 8, "epochs": 3, "shuffle": False, "verbose": 0, **options}
    history = model.fit(x, y, **options)
    found = {f"history/{key}": values for key, values in history.history.items()}
    found["epochs"] = history.epoch
    return found | {f"weights/{i}": w for i, w in enumerate(model.get_weights())}


def named(results):
    return {str(i): value for i, value in enumerate(results)}


def last_batch_is_smaller(keras):
    return trained(mlp(keras))


def default_batch_size(keras):
    return trained(mlp(keras), batch_size=None, epochs=2)


def batch_larger_than_the_data(keras):
    return trained(mlp(keras), batch_size=100)


def validation_split(keras):
    return trained(mlp(keras), validation_split=0.3)


def validation_split_with_sample_weight(keras):
    return trained(mlp(keras, weighted_metrics=["accuracy"]), validation_split=0.3, sample_weight=WEIGHTS)


def validation_data(keras):
    return trained(mlp(keras), validation_data=(X_VAL, ONE_HOT_VAL), validation_batch_size=3)


def validation_data_with_weights(keras):
    model = mlp(keras, metrics=["mae"], weighted_metrics=["mse", "accuracy"])
    return trained(model, validation_data=(X_VAL, ONE_HOT_VAL, WEIGHTS_VAL))


def validation_data_overrides_the_split(keras):
    return trained(mlp(keras), validation_data=(X_VAL, ONE_HOT_VAL), validation_split=0.5)


def validation_steps(keras):
    return trained(mlp(keras), validation_data=(X_VAL, ONE_HOT_VAL), validation_batch_size=4, validation_steps=2)


def validation_every_second_epoch(keras):
    return trained(mlp(keras), validation_split=0.3, validation_freq=2, epochs=5)


def validation_after_listed_epochs(keras):
    return trained(mlp(keras), validation_split=0.3, validation_freq=[1, 4], epochs=5)


def class_weight_of_one_hot(keras):
    model = mlp(keras, metrics=["accuracy"], weighted_metrics=["mse"])
    return trained(model, class_weight={0: 2.0, 2: 0.25}, validation_split=0.3)


def class_weight_of_labels(keras):
    model = mlp(keras, loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"], metrics=None)
    return trained(model, y=LABELS, class_weight={0: 2.0, 1: 3.0})


def sample_weight(keras):
    return trained(mlp(keras, weighted_metrics=["mae", "accuracy"], metrics=["mse"]), sample_weight=WEIGHTS)


def sample_weight_of_columns(keras):
    model = mlp(keras, units=2, last="linear", loss="mse", metrics=["mae"])
    return trained(model, y=TARGETS, sample_weight=WEIGHTS[:, None])


def initial_epoch(keras):
    return trained(mlp(keras), initial_epoch=2, epochs=4, validation_freq=2, validation_split=0.3)


def steps_per_epoch_alone(keras):
    return trained(mlp(keras), batch_size=None, steps_per_epoch=1, epochs=2)


def accuracy_of_labels(keras):
    return trained(mlp(keras, loss="sparse_categorical_crossentropy", metrics=["acc"]), y=LABELS)


def accuracy_of_a_column_of_labels(keras):
    return trained(mlp(keras, loss="sparse_categorical_crossentropy"), y=LABELS[:, None])


def binary_classification(keras):
    model = mlp(keras, units=1, last="sigmoid", loss="binary_crossentropy", metrics=["accuracy", "mse"])
    return trained(model, y=BINARY)


def binary_classification_with_class_weight(keras):
    model = mlp(keras, units=1, last="sigmoid", loss="binary_crossentropy", metrics=["acc"])
    return trained(model, y=BINARY[:, None], class_weight={0: 3.0, 1: 1.0}, validation_split=0.2)


def regression(keras):
    model = mlp(keras, units=2, last="linear", loss="mse", metrics=["mae", "mse"])
    return trained(model, y=TARGETS, validation_split=0.25)


def several_metrics(keras):
    kinds = [keras.metrics.Precision(name="p"), keras.metrics.AUC(name="a"), "top_k_categorical_accuracy"]
    return trained(mlp(keras, metrics=["accuracy", *kinds]), validation_split=0.3)


def loss_weights(keras):
    return trained(mlp(keras, loss_weights=[0.3]), validation_split=0.3)


def loss_reduction_sum(keras):
    return trained(mlp(keras, loss=keras.losses.CategoricalCrossentropy(reduction="sum"), optimizer="sgd"))


def label_smoothing(keras):
    return trained(mlp(keras, loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.2)))


def weight_regularization(keras):
    l1_l2 = keras.regularizers.L1L2(0.01, 0.02)
    hidden = {"kernel_regularizer": "l2", "bias_regularizer": l1_l2}
    return trained(mlp(keras, hidden=hidden), validation_split=0.3)


def activity_regularization(keras):
    hidden = {"activity_regularizer": keras.regularizers.L2(0.03)}
    return trained(mlp(keras, hidden=hidden), validation_split=0.3)


def constraint(keras):
    hidden = {"kernel_constraint": keras.constraints.MaxNorm(0.8), "bias_constraint": "non_neg"}
    return trained(mlp(keras, hidden=hidden))


def frozen_layer(keras):
    model = mlp(keras, hidden={"trainable": False, "kernel_regularizer": "l2"})
    return trained(model, validation_split=0.3)


def clipnorm(keras):
    return trained(mlp(keras, optimizer=keras.optimizers.SGD(1.0, clipnorm=0.1)))


def clipvalue(keras):
    return trained(mlp(keras, optimizer=keras.optimizers.SGD(1.0, clipvalue=0.02)))


def global_clipnorm(keras):
    return trained(mlp(keras, optimizer=keras.optimizers.SGD(1.0, global_clipnorm=0.1)))


def exponential_decay(keras):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 3, 0.7)
    return trained(mlp(keras, optimizer=keras.optimizers.SGD(schedule, momentum=0.8)))


def piecewise_decay(keras):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.5, 0.1, 0.01])
    return trained(mlp(keras, optimizer=keras.optimizers.Adam(schedule)))


def weight_decay(keras):
    return trained(mlp(keras, optimizer=keras.optimizers.AdamW(0.01, weight_decay=0.1)))


def averaged_weights(keras):
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.8)
    return trained(mlp(keras, optimizer=optimizer), validation_split=0.3)


def gradient_accumulation(keras):
    return trained(mlp(keras, optimizer=keras.optimizers.SGD(0.5, gradient_accumulation_steps=3)))


def trained_twice(keras):
    model = mlp(keras, optimizer=keras.optimizers.Adam(0.05))
    return {f"{i}/{key}": value for i in range(2) for key, value in trained(model).items()}


def compiled_again(keras):
    model = mlp(keras, optimizer=keras.optimizers.Adam(0.05))
    trained(model, epochs=1)
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return trained(model)


def evaluate(keras):
    model = mlp(keras, metrics=["accuracy", "mae"])
    as_list = model.evaluate(X, ONE_HOT, batch_size=4, verbose=0)
    as_dict = model.evaluate(X, ONE_HOT, verbose=0, return_dict=True)
    part = model.evaluate(X, ONE_HOT, batch_size=4, steps=2, verbose=0)
    return {"list": as_list, "part": part} | {f"dict/{key}": value for key, value in as_dict.items()}


def evaluate_with_weights(keras):
    model = mlp(keras, metrics=["mse"], weighted_metrics=["accuracy"], hidden={"kernel_regularizer": "l2"})
    return named(model.evaluate(X, ONE_HOT, batch_size=5, sample_weight=WEIGHTS, verbose=0))


def evaluate_the_loss_alone(keras):
    return {"loss": mlp(keras, metrics=None).evaluate(X, ONE_HOT, verbose=0)}


def predict(keras):
    model = mlp(keras)
    return {"all": model.predict(X, batch_size=4, verbose=0), "part": model.predict(X, 5, verbose=0, steps=2)}


def on_batches(keras):
    model = mlp(keras, metrics=["accuracy"], weighted_metrics=["mse"], optimizer=keras.optimizers.Adam(0.05))
    found = {}
    for i in range(4):
        rows = slice(6 * i, 6 * i + 5 + i % 2)
        getattr(model, "reset_metrics", lambda: None)()
        options = {"sample_weight": WEIGHTS[rows]} if i % 2 else {"class_weight": {0: 2.0}}
        found[f"train/{i}"] = model.train_on_batch(X[rows], ONE_HOT[rows], **options)
    getattr(model, "reset_metrics", lambda: None)()
    found["test"] = model.test_on_batch(X[:7], ONE_HOT[:7])
    found["predict"] = model.predict_on_batch(X[:7])
    return found | {f"weights/{i}": w for i, w in enumerate(model.get_weights())}


def callback_changes_the_learning_rate(keras):
    model = mlp(keras)

    def lower(epoch, logs):
        model.optimizer.learning_rate = 0.5 / (epoch + 1)

    return trained(model, callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=lower)])


def callback_sets_weights(keras):
    model = mlp(keras)

    def shrink(epoch, logs):
        model.set_weights([0.5 * w for w in model.get_weights()])

    return trained(model, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=shrink)])


def callback_evaluates(keras):
    model, seen = mlp(keras), []

    def look(epoch, logs):
        seen.append(model.evaluate(X_VAL, ONE_HOT_VAL, verbose=0))

    return trained(model, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)]) | {"seen": seen}


def callback_stops_within_an_epoch(keras):
    model = mlp(keras)

    def stop(batch, logs):
        model.stop_training = batch == 1

    callbacks = [keras.callbacks.LambdaCallback(on_train_batch_end=stop)]
    return trained(model, callbacks=callbacks, validation_split=0.3)


def early_stopping_restores_the_best_weights(keras):
    model = mlp(keras, optimizer=keras.optimizers.SGD(12.0))
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    return trained(model, callbacks=[stop], validation_split=0.4, epochs=12)


CASES = [
    function
    for name, function in list(globals().items())
    if callable(function)
    and function.__module__ == __name__
    and name not in ("waves", "fill", "mlp", "trained", "named")
]
