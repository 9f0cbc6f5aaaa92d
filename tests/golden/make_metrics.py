"""Write metrics.npz: results of every metric as Keras on JAX computes them, after one batch and after two.

Run with Keras 3.15 and JAX installed: ``python make_metrics.py``.
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_ENABLE_X64"] = "1"

import keras
import numpy as np
from keras import metrics
from keras.src.backend.common import dtypes

import packed

dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"  # else ops.mean computes in float32, whatever floatx says
keras.config.set_floatx("float64")
rng = np.random.default_rng(11)
ROWS, FIRST = 12, 7


def one_hot(labels, classes):
    return np.eye(classes)[labels]


LABELS = rng.integers(0, 4, ROWS)
SCORES = rng.random((ROWS, 4))
SCORES[0] = [0.5, 0.5, 0.2, 0.5]
SCORES[1] = [0.0, 0.0, 0.0, 0.0]
SCORES[2] = [1.0, 0.0, 0.0, 0.0]
POSITIVE = SCORES + 0.05
SEQUENCE = rng.integers(0, 4, (ROWS, 3))
SEQUENCE_SCORES = rng.random((ROWS, 3, 4))
BITS = rng.integers(0, 2, (ROWS, 3)).astype(float)
GRID = rng.integers(0, 11, (ROWS, 3)) / 10.0
UNIT = rng.random((ROWS, 3))
UNIT[0] = [0.0, 1.0, 0.5]
REAL, OTHER = rng.standard_normal((ROWS, 3)), rng.standard_normal((ROWS, 3))

INPUTS = {
    "real": (OTHER, REAL),
    "column": (OTHER[:, 0], REAL[:, :1]),
    "real3": (rng.standard_normal((ROWS, 3, 2)), rng.standard_normal((ROWS, 3, 2))),
    "positive": (rng.poisson(2.0, (ROWS, 3)).astype(float), 3 * rng.random((ROWS, 3))),
    "equal": (rng.integers(0, 3, (ROWS, 2)).astype(float), rng.integers(0, 3, (ROWS, 2)).astype(float)),
    "onehot": (one_hot(LABELS, 4), SCORES),
    "onehot_positive": (one_hot(LABELS, 4), POSITIVE),
    "onehot3": (one_hot(SEQUENCE, 4), SEQUENCE_SCORES),
    "multihot": (rng.integers(0, 2, (ROWS, 4)).astype(float), SCORES),
    "labels": (LABELS.astype(float), SCORES),
    "labels_positive": (LABELS.astype(float), POSITIVE),
    "labels_column": (LABELS[:, None].astype(float), POSITIVE),
    "labels3": (SEQUENCE.astype(float), SEQUENCE_SCORES),
    "sorted_ids": (LABELS.astype(float), np.argsort(-SCORES, axis=-1, kind="stable").astype(float)),
    "bits": (BITS, UNIT),
    "bits_column": (BITS[:, 0], UNIT[:, :1]),
    "bits_columns": (BITS[:, :1], UNIT[:, :1]),
    "bits_vector": (BITS[:, 0], UNIT[:, 0]),
    "grid": (BITS, GRID),
    "logits": (BITS, 3 * REAL),
    "signs": (2 * BITS - 1, REAL),
    "classes": (LABELS.astype(float), rng.integers(0, 4, ROWS).astype(float)),
    "maps": (SEQUENCE.astype(float), rng.integers(0, 4, (ROWS, 3)).astype(float)),
    "bitmap": (BITS, UNIT),
}
LOSS_LIKE = ["MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError", "RootMeanSquaredError"]
CASES = [(name, {}, ["real", "column", "real3"]) for name in [*LOSS_LIKE, "LogCoshError", "CosineSimilarity"]]
CASES += [
    ("MeanSquaredLogarithmicError", {}, ["positive", "real"]),
    ("CosineSimilarity", {"axis": 1}, ["real3"]),
    ("Accuracy", {}, ["equal", "classes"]),
    ("BinaryAccuracy", {}, ["bits", "bits_column", "grid"]),
    ("BinaryAccuracy", {"threshold": 0.3}, ["grid"]),
    ("CategoricalAccuracy", {}, ["onehot", "onehot3"]),
    ("SparseCategoricalAccuracy", {}, ["labels", "labels_column", "labels3"]),
    ("TopKCategoricalAccuracy", {"k": 2}, ["onehot", "onehot3"]),
    ("TopKCategoricalAccuracy", {}, ["onehot"]),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, ["labels", "labels3"]),
    ("SparseTopKCategoricalAccuracy", {"k": 3, "from_sorted_ids": True}, ["sorted_ids"]),
    ("KLDivergence", {}, ["onehot", "bits"]),
    ("Poisson", {}, ["positive"]),
    ("BinaryCrossentropy", {}, ["bits", "bits_columns"]),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ["logits"]),
    ("CategoricalCrossentropy", {}, ["onehot_positive", "onehot3"]),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, ["onehot"]),
    ("SparseCategoricalCrossentropy", {}, ["labels_positive", "labels_column", "labels3"]),
    ("SparseCategoricalCrossentropy", {"from_logits": True, "ignore_class": 2}, ["labels", "labels3"]),
    ("Hinge", {}, ["signs", "bits"]),
    ("SquaredHinge", {}, ["signs", "bits"]),
    ("CategoricalHinge", {}, ["onehot", "onehot3"]),
    ("PearsonCorrelation", {}, ["real"]),
    ("PearsonCorrelation", {"axis": 1}, ["real3"]),
    ("ConcordanceCorrelation", {}, ["real", "real3"]),
    ("R2Score", {}, ["real"]),
    ("R2Score", {"class_aggregation": None, "num_regressors": 2}, ["real"]),
    ("R2Score", {"class_aggregation": "variance_weighted_average"}, ["real"]),
]
COUNTS = ["TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"]
for name in [*COUNTS, "Precision", "Recall"]:
    CASES += [
        (name, {}, ["bits", "bits_column", "bits_vector", "onehot3"]),
        (name, {"thresholds": [0.7, 0.2]}, ["grid"]),
        (name, {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, ["bits"]),
    ]
for name in ("Precision", "Recall"):
    CASES += [
        (name, {"top_k": 2}, ["onehot", "multihot"]),
        (name, {"top_k": 2, "class_id": 1, "thresholds": 0.4}, ["onehot"]),
        (name, {"class_id": 2}, ["bits"]),
    ]
for name, key in (
    ("SensitivityAtSpecificity", "specificity"),
    ("SpecificityAtSensitivity", "sensitivity"),
    ("PrecisionAtRecall", "recall"),
    ("RecallAtPrecision", "precision"),
):
    CASES += [
        (name, {key: 0.6}, ["bits", "bits_column"]),
        (name, {key: 0.4, "num_thresholds": 5, "class_id": 1}, ["bits"]),
        (name, {key: 0.3, "num_thresholds": 1}, ["bits"]),
    ]
for curve in ("ROC", "PR", "PRGAIN"):
    CASES.append(("AUC", {"curve": curve}, ["bits", "bits_column"]))
    CASES += [
        ("AUC", {"curve": curve, "summation_method": method, "num_thresholds": 9}, ["bits"])
        for method in ("minoring", "majoring")
    ]
CASES += [
    ("AUC", {"thresholds": [0.15, 0.4, 0.8]}, ["bits", "grid"]),
    ("AUC", {"multi_label": True, "num_thresholds": 11}, ["bits"]),
    ("AUC", {"multi_label": True, "curve": "PR", "label_weights": [0.2, 0.5, 0.3]}, ["bits"]),
    ("AUC", {"multi_label": True, "num_labels": 3, "thresholds": [0.2, 0.3]}, ["bits"]),
    ("AUC", {"label_weights": [0.2, 0.5, 0.3]}, ["bits"]),
    ("AUC", {"from_logits": True}, ["logits"]),
]
for average in (None, "micro", "macro", "weighted"):
    CASES += [
        ("F1Score", {"average": average}, ["onehot"]),
        ("FBetaScore", {"average": average, "beta": 2.0, "threshold": 0.4}, ["multihot"]),
    ]
CASES += [
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, ["classes", "maps"]),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}, ["labels", "labels3"]),
    ("MeanIoU", {"num_classes": 4}, ["classes", "maps"]),
    ("MeanIoU", {"num_classes": 4, "ignore_class": 1, "dtype": "float64"}, ["maps"]),
    ("MeanIoU", {"num_classes": 6, "sparse_y_true": False, "sparse_y_pred": False}, ["onehot"]),
    ("BinaryIoU", {"dtype": "float64"}, ["bitmap"]),
    ("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3}, ["bitmap"]),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3]}, ["onehot", "onehot3"]),
    ("OneHotMeanIoU", {"num_classes": 4, "ignore_class": 0}, ["onehot"]),
]


def weightings(name, config, y_pred):
    """Sample weights that Keras can broadcast for this metric and input."""
    generator = np.random.default_rng(5)
    row, column = generator.random(ROWS) * 2, generator.random((ROWS, 1)) * 2
    if "IoU" in name:
        return {"all": generator.random((ROWS, 3)) * 2} if config.get("dtype") == "float64" else {}
    if name in ("F1Score", "FBetaScore") or (y_pred.ndim == 1 and name in COUNTS + ["Precision", "Recall"]):
        return {"row": row}
    if y_pred.ndim == 3:
        width = y_pred.shape[2 if config.get("axis") == 1 else 1]
        return {"all": generator.random((ROWS, width)) * 2}
    return {"row": row, "column": column}


def record(index, name, config, source, out):
    y_true, y_pred = INPUTS[source]
    weights = {"none": None} | weightings(name, config, y_pred)
    for key, weight in weights.items():
        metric = getattr(metrics, name)(**config)
        results = []
        for rows in (slice(FIRST), slice(FIRST, None)):
            metric.update_state(y_true[rows], y_pred[rows], None if weight is None else weight[rows])
            results.append(np.asarray(metric.result(), dtype="float64"))
        out[f"{index}/{key}/results"] = np.stack(results)
        if weight is not None:
            out[f"{index}/{key}/weight"] = weight


def main():
    out, cases = {}, []
    for source, (y_true, y_pred) in INPUTS.items():
        out[f"{source}/y_true"], out[f"{source}/y_pred"] = y_true, y_pred
    for name, config, sources in CASES:
        for source in sources:
            record(len(cases), name, config, source, out)
            serialized = metrics.serialize(getattr(metrics, name)(**config))
            if serialized["config"].get("label_weights") is not None:
                serialized["config"]["label_weights"] = config["label_weights"]
            cases.append({"class_name": name, "config": config, "input": source, "serialized": serialized})
    packed.save(Path(__file__).with_name("metrics.npz"), out, cases)


if __name__ == "__main__":
    main()
