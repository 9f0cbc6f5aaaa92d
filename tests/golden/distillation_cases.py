"""Students that learn from a teacher: run with any keras, in float64."""

import numpy as np

X = np.random.default_rng(0).normal(size=(22, 4))
LABELS = np.random.default_rng(1).integers(0, 3, 22)


def network(keras, units, seed, is_sequential=False):
    layers = [keras.layers.Dense(n, "tanh", name=name) for n, name in ((units, "hidden"), (5, "wide"))]
    layers.append(keras.layers.Dense(3, name="logits"))
    x = keras.Input((4,), name="x")
    if is_sequential:
        model = keras.Sequential([x, *layers], name=f"network_{seed}")
    else:
        y = x
        for layer in layers:
            y = layer(y)
        model = keras.Model(x, y, name=f"network_{seed}")
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    return model


def options_of(keras):
    """Name -> arguments of a ``Distiller``."""
    own, losses = keras.distillation, keras.losses
    divergence = losses.KLDivergence()
    return {
        "by name": {"distillation_losses": own.LogitsDistillation(temperature=2.0)},
        "divergence": {"distillation_losses": own.LogitsDistillation(4, divergence), "student_loss_weight": 0.3},
        "features": {"distillation_losses": own.FeatureDistillation("mse", "wide", "wide")},
        "several": {
            "distillation_losses": [
                own.LogitsDistillation(loss=divergence),
                own.FeatureDistillation("mae", teacher_layer_name="wide", student_layer_name="wide"),
                own.FeatureDistillation("cosine_similarity"),
            ],
            "distillation_loss_weights": [1.0, 0.5, 0.25],
        },
        "teacher alone": {"distillation_losses": own.LogitsDistillation(loss="mse"), "student_loss_weight": 0.0},
        "labels alone": {"distillation_losses": own.LogitsDistillation(loss="mse"), "student_loss_weight": 1.0},
    }


def distiller(keras, name):
    keras.utils.clear_session()
    teacher, student = network(keras, 8, 1, name == "features"), network(keras, 6, 2, name == "features")
    return keras.distillation.Distiller(teacher, student, **options_of(keras)[name])


def results(keras, folder=None):
    """What each learns, as JSON has it; saved into a folder."""
    every = {}
    for name in options_of(keras):
        model = distiller(keras, name)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.125), loss, metrics=["accuracy"])
        given = {"validation_data": (X[:5], LABELS[:5]), "batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        history = model.fit(X, LABELS, **given).history
        every[name] = {key: np.asarray(value).tolist() for key, value in history.items()}
        every[name]["predicted"] = np.asarray(model.predict(X, verbose=0)).tolist()
        if folder is not None:
            model.save(folder / f"{name}.keras")
    return every
