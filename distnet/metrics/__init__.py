"""Metrics: what to watch during training. As classes, and as functions of one value per sample."""

from typing import TYPE_CHECKING, Any

from distnet.losses import (
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    huber,
    kld,
    kullback_leibler_divergence,
    logcosh,
    mae,
    mape,
    mse,
    msle,
)
from distnet.metrics import composed_accuracies as composed_accuracies
from distnet.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from distnet.metrics.auc import AUC
from distnet.metrics.base import Metric
from distnet.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from distnet.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from distnet.metrics.fscore import F1Score, FBetaScore
from distnet.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from distnet.metrics.means import METRICS, MeanMetricWrapper
from distnet.metrics.metric_names import deserialize, get, resolve, serialize
from distnet.metrics.of_losses import OF_LOSSES
from distnet.metrics.regression import CosineSimilarity, MeanRelativeError, R2Score, RootMeanSquaredError
from distnet.metrics.running import Mean, Sum

globals().update(OF_LOSSES)

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = [
    "AUC",
    "KLD",
    "MAE",
    "MAPE",
    "METRICS",
    "MSE",
    "MSLE",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "IoU",
    "Mean",
    "MeanIoU",
    "MeanMetricWrapper",
    "MeanRelativeError",
    "Metric",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_focal_crossentropy",
    "categorical_accuracy",
    "categorical_focal_crossentropy",
    "concordance_correlation",
    "deserialize",
    "get",
    "huber",
    "kld",
    "kullback_leibler_divergence",
    "logcosh",
    "mae",
    "mape",
    "mse",
    "msle",
    "pearson_correlation",
    "resolve",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]
__all__ += list(OF_LOSSES)
