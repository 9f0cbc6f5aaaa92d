"""Ways of training and asking; rank 0 writes what each gave: variants.py OUT.npz."""

import sys

import numpy as np

import distnet as keras
from distnet import comm, layers, losses, metrics, optimizers
from distnet.data import feeding
from distnet.training import rows_in_place
from distnet.training.runs import Runs

RNG = np.random.default_rng(1)
X = RNG.normal(size=(150, 8))
LABELS = RNG.integers(0, 3, 150)
ONE_HOT = np.eye(3)[LABELS]
BINARY = (X[:, :1] + RNG.normal(size=(150, 1)) > 0).astype(float)
TARGETS = RNG.normal(size=(150, 2))
WEIGHTS = RNG.uniform(0, 3, 150)


def classifier(units=3, activation="softmax", **options):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            layers.Dense(10, activation="relu", input_shape=(8,), **options),
            layers.Dropout(0.2),
            layers.Dense(units, activation=activation),
        ]
    )


def fitted(model, loss, y, optimizer="adam", watched=(), weighted=(), **options):
    model.compile(optimizer, loss, list(watched), weighted_metrics=list(weighted))
    history = model.fit(X, y, **{"batch_size": 32, "epochs": 3, "verbose": 0, "validation_split": 0.2} | options)
    return {**history.history, **dict(enumerate(model.get_weights()))}


def sample_weights():
    validation = (X[:40], LABELS[:40], WEIGHTS[40:80])
    options = {"sample_weight": WEIGHTS, "validation_split": 0.0, "validation_data": validation}
    loss = "sparse_categorical_crossentropy"
    return fitted(classifier(), loss, LABELS, watched=["accuracy"], weighted=["accuracy"], **options)


def weighted_mean():
    loss = losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight")
    return fitted(classifier(), loss, LABELS, sample_weight=WEIGHTS)


def sum_reduction():
    loss = losses.CategoricalCrossentropy(reduction="sum", label_smoothing=0.1)
    return fitted(classifier(), loss, ONE_HOT, optimizers.SGD(0.001))


def ignored_class():
    loss = losses.SparseCategoricalCrossentropy(ignore_class=1)
    return fitted(classifier(), loss, LABELS) | {
        f"weighted {key}": value for key, value in fitted(classifier(), loss, LABELS, sample_weight=WEIGHTS).items()
    }


def one_mask_a_batch():
    return fitted(classifier(), losses.Dice(axis=None), ONE_HOT) | {
        f"tversky {key}": value for key, value in fitted(classifier(), losses.Tversky(axis=None), ONE_HOT).items()
    }


def batches_smaller_than_the_ranks():
    """150 - 30 rows in batches of 3 on up to 7 ranks: some have no rows; the last batch has 1."""
    few = {"batch_size": 3, "epochs": 1, "validation_split": 0.0, "validation_data": (X[:7], BINARY[:7])}
    watched = ["accuracy", metrics.AUC(num_thresholds=20), metrics.Precision()]
    results = fitted(classifier(1, "sigmoid"), "binary_crossentropy", BINARY, watched=watched, **few)
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    return results | {
        f"ignored {key}": value
        for key, value in fitted(classifier(), loss, LABELS, **few | {"validation_data": (X[:2], LABELS[:2])}).items()
    }


def activity_penalty():
    model = classifier(activity_regularizer=keras.regularizers.L1L2(0.01, 0.02))
    results = fitted(model, "mse", ONE_HOT)
    return results | {"evaluated": model.evaluate(X, ONE_HOT, verbose=0)}


def averaged_and_accumulated():
    results = {}
    for i, optimizer in enumerate(
        [
            optimizers.Adam(use_ema=True, ema_momentum=0.9),
            optimizers.SGD(0.1, momentum=0.9, use_ema=True, ema_overwrite_frequency=4),
            optimizers.Adam(gradient_accumulation_steps=3),
            optimizers.RMSprop(global_clipnorm=0.1),
            optimizers.Lamb(clipnorm=0.05, weight_decay=0.01),
            optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 3, 0.5), nesterov=True, momentum=0.5),
        ]
    ):
        model = classifier(kernel_constraint=keras.constraints.MaxNorm(1.0))
        part = fitted(model, "categorical_crossentropy", ONE_HOT, optimizer)
        results |= {f"{i} {key}": value for key, value in part.items()}
    return results


def every_kind_of_metric():
    watched = ["acc", metrics.AUC(num_thresholds=50), metrics.Precision(), metrics.Recall(thresholds=[0.3, 0.6])]
    watched += [metrics.RootMeanSquaredError(), metrics.F1Score(threshold=0.5)]
    return fitted(classifier(1, "sigmoid"), "binary_crossentropy", BINARY, watched=watched)


def several_metrics_of_values():
    watched = ["mae", metrics.R2Score(), metrics.CosineSimilarity(), metrics.LogCoshError()]
    return fitted(classifier(2, "linear"), losses.Huber(0.5), TARGETS, watched=watched)


def steps_and_orders():
    steps = fitted(classifier(), "mse", ONE_HOT, steps_per_epoch=2, epochs=5, validation_steps=1)
    batches = fitted(classifier(), "mse", ONE_HOT, shuffle="batch", validation_batch_size=11)
    in_order = fitted(classifier(), "mse", ONE_HOT, shuffle=False, validation_freq=2)
    return {
        f"{name} {key}": value
        for name, part in (("steps", steps), ("batches", batches), ("in order", in_order))
        for key, value in part.items()
    }


def deferred_build():
    keras.utils.set_random_seed(5)
    model = keras.Sequential([layers.Reshape((4, 2)), layers.Flatten(), layers.Dense(5, "tanh"), layers.Dense(3)])
    return fitted(model, "mse", ONE_HOT)


def batch_by_batch():
    model = classifier()
    model.compile("adam", "categorical_crossentropy", ["accuracy"])
    results = {}
    for i, rows in enumerate([slice(0, 32), slice(32, 35), slice(35, 36), slice(40, 150)]):
        results[f"train {i}"] = model.train_on_batch(X[rows], ONE_HOT[rows], sample_weight=WEIGHTS[rows])
        results[f"test {i}"] = model.test_on_batch(X[rows], ONE_HOT[rows])
        results[f"predict {i}"] = model.predict_on_batch(X[rows])
    return results | dict(enumerate(model.get_weights()))


def asked():
    """evaluate and predict, with more rows than a batch, and with fewer rows than ranks."""
    model = classifier(kernel_regularizer="l2")
    model.compile("sgd", "categorical_crossentropy", ["accuracy", metrics.AUC(num_thresholds=20)])
    results = {}
    for rows in (1, 2, 5, 33, 150):
        weight = WEIGHTS[:rows]
        results[f"evaluate {rows}"] = model.evaluate(
            X[:rows], ONE_HOT[:rows], batch_size=16, sample_weight=weight, verbose=0
        )
        results[f"predict {rows}"] = model.predict(X[:rows], batch_size=16, verbose=0)
    results["steps"] = model.evaluate(X, ONE_HOT, batch_size=16, steps=3, verbose=0)
    results["predicted steps"] = model.predict(X, batch_size=16, steps=3, verbose=0)
    for is_planned in (True, False):
        Runs.makes_plans = is_planned
        results[is_planned] = model.evaluate(X, ONE_HOT, batch_size=16, verbose=0), model.predict(X[::-1], verbose=0)
    Runs.makes_plans = True
    for planned, live in zip(results.pop(True), results.pop(False), strict=True):
        np.testing.assert_array_equal(planned, live)
    return results


def fed():
    """Trains on rows that a thread gathers, and on rows gathered as always."""
    weights = []
    for by_thread in (True, False):
        feeding.LEAST_S = 0.0 if by_thread else 1e9
        rows_in_place.Feeding = lambda room, has_core, by_thread=by_thread: feeding.Feeding(room, by_thread)
        model = classifier()
        fitted(model, "categorical_crossentropy", ONE_HOT)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    rows_in_place.Feeding = feeding.Feeding
    return dict(enumerate(weights[0]))


def layers_as_activations():
    keras.utils.set_random_seed(3)
    shared = layers.PReLU(activity_regularizer="l2")
    model = keras.Sequential([keras.Input((8,))])
    for activation in (shared, shared, layers.BatchNormalization(), layers.Dropout(0.3)):
        model.add(layers.Dense(8, activation=activation))
    model.add(layers.Dense(2))
    return fitted(model, "mse", TARGETS)


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    results = {}
    for case in (
        *(
            sample_weights,
            weighted_mean,
            sum_reduction,
            ignored_class,
            one_mask_a_batch,
            batches_smaller_than_the_ranks,
        ),
        *(
            activity_penalty,
            averaged_and_accumulated,
            every_kind_of_metric,
            several_metrics_of_values,
            steps_and_orders,
        ),
        *(deferred_build, batch_by_batch, asked, fed, layers_as_activations),
    ):
        part = {f"{case.__name__}/{key}": np.asarray(value) for key, value in case().items()}
        everywhere = comm.world().allgather_object({key: value.tobytes() for key, value in part.items()})
        assert all(theirs == everywhere[0] for theirs in everywhere), f"{case.__name__}: the ranks differ"
        results |= part
    if keras.distribution.is_chief():
        np.savez(sys.argv[1], **results)
