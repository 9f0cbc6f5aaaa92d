"""Which losses, metrics, optimizers and callbacks a generated model can be trained with."""

from __future__ import annotations

from typing import Any

from option_values import make

HEADS: dict[str, list[str]] = {
    "real": ["linear", "tanh"],
    "bits": ["sigmoid"],
    "bit_logits": ["linear"],
    "classes": ["softmax"],
    "class_logits": ["linear"],
    "labels": ["softmax"],
    "label_logits": ["linear"],
    "counts": ["softplus"],
    "signs": ["tanh", "linear"],
}
"""Kinds of targets, with the activations that an output for them has."""

REDUCTIONS: list[dict[str, Any]] = [{}, {"reduction": "sum"}, {"reduction": "mean_with_sample_weight"}]
LOSSES: dict[str, list[Any]] = {
    "real": [
        *("mse", "mae", "mape", "huber", "log_cosh", "cosine_similarity", "mean_squared_error"),
        *(make("losses.MeanSquaredError", **options) for options in REDUCTIONS),
        make("losses.Huber", delta=0.3),
        make("losses.CosineSimilarity", axis=1),
    ],
    "bits": [
        *("binary_crossentropy", "binary_focal_crossentropy", "mse", "dice", "tversky"),
        make("losses.BinaryCrossentropy", label_smoothing=0.1),
        make("losses.BinaryFocalCrossentropy", gamma=1.5, apply_class_balancing=True, alpha=0.3),
        make("losses.Dice", axis=-1),
        make("losses.Tversky", alpha=0.3, beta=0.6),
    ],
    "bit_logits": [
        make("losses.BinaryCrossentropy", from_logits=True),
        make("losses.BinaryFocalCrossentropy", from_logits=True, label_smoothing=0.2),
    ],
    "classes": [
        *("categorical_crossentropy", "kl_divergence", "categorical_focal_crossentropy", "categorical_hinge", "mse"),
        make("losses.CategoricalCrossentropy", label_smoothing=0.1),
        make("losses.CategoricalFocalCrossentropy", gamma=1.0, alpha=0.3),
        make("losses.KLDivergence", reduction="sum"),
    ],
    "class_logits": [
        make("losses.CategoricalCrossentropy", from_logits=True),
        make("losses.CategoricalFocalCrossentropy", from_logits=True, gamma=0.5),
    ],
    "labels": [
        "sparse_categorical_crossentropy",
        make("losses.SparseCategoricalCrossentropy", ignore_class=1),
        make("losses.CategoricalGeneralizedCrossEntropy", q=0.3),
    ],
    "label_logits": [
        make("losses.SparseCategoricalCrossentropy", from_logits=True),
        make("losses.SparseCategoricalCrossentropy", from_logits=True, ignore_class=2),
    ],
    "counts": ["poisson", "msle", make("losses.Poisson", reduction="sum")],
    "signs": ["hinge", "squared_hinge", make("losses.Hinge", reduction="mean_with_sample_weight")],
}
METRICS: dict[str, list[Any]] = {
    "real": [
        *("mae", "mse", "mape", "cosine_similarity"),
        make("metrics.RootMeanSquaredError"),
        make("metrics.LogCoshError"),
        make("metrics.MeanAbsoluteError", name="apart"),
        make("metrics.R2Score"),
        make("metrics.PearsonCorrelation"),
        make("metrics.ConcordanceCorrelation"),
    ],
    "bits": [
        *("accuracy", "binary_accuracy", "acc", "mse"),
        make("metrics.BinaryAccuracy", threshold=0.4),
        make("metrics.AUC", num_thresholds=9),
        make("metrics.AUC", num_thresholds=7, curve="PR", summation_method="minoring"),
        make("metrics.Precision"),
        make("metrics.Recall", thresholds=[0.3, 0.6]),
        make("metrics.TruePositives", thresholds=0.4),
        make("metrics.FalseNegatives"),
        make("metrics.FalsePositives"),
        make("metrics.TrueNegatives", thresholds=[0.2, 0.5]),
        make("metrics.SpecificityAtSensitivity", sensitivity=0.5, num_thresholds=9),
        make("metrics.RecallAtPrecision", precision=0.4, num_thresholds=9),
        make("metrics.F1Score", threshold=0.5),
        make("metrics.FBetaScore", beta=2.0, threshold=0.4, average="micro"),
        make("metrics.BinaryIoU", threshold=0.4),
        make("metrics.BinaryCrossentropy"),
        make("metrics.SensitivityAtSpecificity", specificity=0.5, num_thresholds=9),
        make("metrics.PrecisionAtRecall", recall=0.4, num_thresholds=9),
    ],
    "bit_logits": [make("metrics.BinaryAccuracy", threshold=0.0), make("metrics.BinaryCrossentropy", from_logits=True)],
    "classes": [
        *("accuracy", "categorical_accuracy", "top_k_categorical_accuracy"),
        make("metrics.TopKCategoricalAccuracy", k=2),
        make("metrics.CategoricalCrossentropy", label_smoothing=0.1),
        make("metrics.KLDivergence"),
        make("metrics.CategoricalHinge"),
        make("metrics.F1Score", average="macro"),
        make("metrics.OneHotMeanIoU", num_classes=3),
        make("metrics.OneHotIoU", num_classes=3, target_class_ids=[0, 2]),
        make("metrics.Precision", top_k=2),
    ],
    "class_logits": ["accuracy", make("metrics.CategoricalCrossentropy", from_logits=True)],
    "labels": [
        *("accuracy", "sparse_categorical_accuracy"),
        make("metrics.SparseTopKCategoricalAccuracy", k=2),
        make("metrics.SparseCategoricalCrossentropy"),
        make("metrics.MeanIoU", num_classes=3, sparse_y_pred=False),
    ],
    "label_logits": ["accuracy", make("metrics.SparseCategoricalCrossentropy", from_logits=True)],
    "counts": ["poisson", "mae", make("metrics.Poisson")],
    "signs": [make("metrics.Hinge"), make("metrics.SquaredHinge"), "mae"],
}

SCHEDULE = "optimizers.schedules"
RATES: list[Any] = [
    *(0.01, 0.1),
    make(f"{SCHEDULE}.ExponentialDecay", initial_learning_rate=0.05, decay_steps=2, decay_rate=0.5),
    make(f"{SCHEDULE}.PiecewiseConstantDecay", boundaries=[1, 3], values=[0.05, 0.02, 0.01]),
    make(f"{SCHEDULE}.PolynomialDecay", initial_learning_rate=0.05, decay_steps=4),
    make(f"{SCHEDULE}.InverseTimeDecay", initial_learning_rate=0.05, decay_steps=2, decay_rate=0.5, staircase=True),
    make(f"{SCHEDULE}.CosineDecay", initial_learning_rate=0.05, decay_steps=4, warmup_target=0.1, warmup_steps=2),
    make(f"{SCHEDULE}.CosineDecayRestarts", initial_learning_rate=0.05, first_decay_steps=2),
]
OPTIMIZERS: dict[str, dict[str, list[Any]]] = {
    "SGD": {"momentum": [0.9], "nesterov": [True]},
    "Adam": {"amsgrad": [True], "beta_1": [0.8], "epsilon": [1e-4]},
    "RMSprop": {"momentum": [0.5], "centered": [True], "rho": [0.8]},
    "Adagrad": {"initial_accumulator_value": [0.2]},
    "Adadelta": {"rho": [0.9]},
    "Adamax": {"beta_2": [0.9]},
    "Nadam": {"beta_1": [0.8]},
    "AdamW": {"weight_decay": [0.02], "amsgrad": [True]},
    "Ftrl": {"l1_regularization_strength": [0.01], "l2_regularization_strength": [0.02], "beta": [0.1]},
    "Lion": {"beta_1": [0.8]},
    "Lamb": {"beta_2": [0.99]},
    "Muon": {"nesterov": [False]},
    "ScheduleFreeAdamW": {"beta_1": [0.8]},
    "Adafactor": {"relative_step": [False], "clip_threshold": [0.5]},
}
_COMMON: dict[str, list[Any]] = {
    "weight_decay": [0.01],
    "use_ema": [True],
    "gradient_accumulation_steps": [2],
}
OF_EVERY_OPTIMIZER: list[dict[str, list[Any]]] = [
    {"clipnorm": [0.1], **_COMMON},
    {"clipvalue": [0.05], **_COMMON},
    {"global_clipnorm": [0.2], **_COMMON},
]
"""Options of all optimizers; no two ways of clipping together."""
CALLBACKS_OF_SCHEDULES: list[Any] = [
    make("callbacks.EarlyStopping", monitor="loss", patience=1, restore_best_weights=True),
    make("callbacks.EarlyStopping", monitor="loss", min_delta=0.5, patience=0),
    make("callbacks.TerminateOnNaN"),
]
CALLBACKS: list[Any] = [
    *CALLBACKS_OF_SCHEDULES,
    make("callbacks.ReduceLROnPlateau", monitor="loss", factor=0.5, patience=0, min_delta=0.01, cooldown=1),
    make("callbacks.LearningRateScheduler", schedule={"function": "halved"}),
]
SIZES = [(6, 6, 5), (7, 4, 3), (6, 6, 5), (4, 4, 5), (5, 2, 2)]
"""Rows, batch size and epochs: at least five steps; a part of the models ends with a smaller batch."""
FILES = ["h5", "keras", "weights.h5"]
