"""Metrics: what to watch during training. As classes, and as functions of one value per sample.

Each is imported when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.late_rooms import homes, late_names
from distnet.metrics.base import Metric as Metric
from distnet.metrics.means import METRICS as METRICS
from distnet.metrics.means import MeanMetricWrapper as MeanMetricWrapper
from distnet.metrics.metric_names import deserialize as deserialize
from distnet.metrics.metric_names import get as get
from distnet.metrics.metric_names import resolve as resolve
from distnet.metrics.metric_names import serialize as serialize

if TYPE_CHECKING:
    from distnet.losses import KLD as KLD
    from distnet.losses import MAE as MAE
    from distnet.losses import MAPE as MAPE
    from distnet.losses import MSE as MSE
    from distnet.losses import MSLE as MSLE
    from distnet.losses import binary_crossentropy as binary_crossentropy
    from distnet.losses import binary_focal_crossentropy as binary_focal_crossentropy
    from distnet.losses import categorical_crossentropy as categorical_crossentropy
    from distnet.losses import categorical_focal_crossentropy as categorical_focal_crossentropy
    from distnet.losses import categorical_hinge as categorical_hinge
    from distnet.losses import hinge as hinge
    from distnet.losses import huber as huber
    from distnet.losses import kl_divergence as kl_divergence
    from distnet.losses import kld as kld
    from distnet.losses import kullback_leibler_divergence as kullback_leibler_divergence
    from distnet.losses import log_cosh as log_cosh
    from distnet.losses import logcosh as logcosh
    from distnet.losses import mae as mae
    from distnet.losses import mape as mape
    from distnet.losses import mean_absolute_error as mean_absolute_error
    from distnet.losses import mean_absolute_percentage_error as mean_absolute_percentage_error
    from distnet.losses import mean_squared_error as mean_squared_error
    from distnet.losses import mean_squared_logarithmic_error as mean_squared_logarithmic_error
    from distnet.losses import mse as mse
    from distnet.losses import msle as msle
    from distnet.losses import poisson as poisson
    from distnet.losses import sparse_categorical_crossentropy as sparse_categorical_crossentropy
    from distnet.losses import squared_hinge as squared_hinge
    from distnet.metrics.accuracy import Accuracy as Accuracy
    from distnet.metrics.accuracy import BinaryAccuracy as BinaryAccuracy
    from distnet.metrics.accuracy import CategoricalAccuracy as CategoricalAccuracy
    from distnet.metrics.accuracy import SparseCategoricalAccuracy as SparseCategoricalAccuracy
    from distnet.metrics.accuracy import SparseTopKCategoricalAccuracy as SparseTopKCategoricalAccuracy
    from distnet.metrics.accuracy import TopKCategoricalAccuracy as TopKCategoricalAccuracy
    from distnet.metrics.accuracy import binary_accuracy as binary_accuracy
    from distnet.metrics.accuracy import categorical_accuracy as categorical_accuracy
    from distnet.metrics.accuracy import sparse_categorical_accuracy as sparse_categorical_accuracy
    from distnet.metrics.accuracy import sparse_top_k_categorical_accuracy as sparse_top_k_categorical_accuracy
    from distnet.metrics.accuracy import top_k_categorical_accuracy as top_k_categorical_accuracy
    from distnet.metrics.auc import AUC as AUC
    from distnet.metrics.confusion import FalseNegatives as FalseNegatives
    from distnet.metrics.confusion import FalsePositives as FalsePositives
    from distnet.metrics.confusion import Precision as Precision
    from distnet.metrics.confusion import PrecisionAtRecall as PrecisionAtRecall
    from distnet.metrics.confusion import Recall as Recall
    from distnet.metrics.confusion import RecallAtPrecision as RecallAtPrecision
    from distnet.metrics.confusion import SensitivityAtSpecificity as SensitivityAtSpecificity
    from distnet.metrics.confusion import SpecificityAtSensitivity as SpecificityAtSensitivity
    from distnet.metrics.confusion import TrueNegatives as TrueNegatives
    from distnet.metrics.confusion import TruePositives as TruePositives
    from distnet.metrics.correlation import ConcordanceCorrelation as ConcordanceCorrelation
    from distnet.metrics.correlation import PearsonCorrelation as PearsonCorrelation
    from distnet.metrics.correlation import concordance_correlation as concordance_correlation
    from distnet.metrics.correlation import pearson_correlation as pearson_correlation
    from distnet.metrics.fscore import F1Score as F1Score
    from distnet.metrics.fscore import FBetaScore as FBetaScore
    from distnet.metrics.iou import BinaryIoU as BinaryIoU
    from distnet.metrics.iou import IoU as IoU
    from distnet.metrics.iou import MeanIoU as MeanIoU
    from distnet.metrics.iou import OneHotIoU as OneHotIoU
    from distnet.metrics.iou import OneHotMeanIoU as OneHotMeanIoU
    from distnet.metrics.of_losses import BinaryCrossentropy as BinaryCrossentropy
    from distnet.metrics.of_losses import CategoricalCrossentropy as CategoricalCrossentropy
    from distnet.metrics.of_losses import CategoricalHinge as CategoricalHinge
    from distnet.metrics.of_losses import Hinge as Hinge
    from distnet.metrics.of_losses import KLDivergence as KLDivergence
    from distnet.metrics.of_losses import LogCoshError as LogCoshError
    from distnet.metrics.of_losses import MeanAbsoluteError as MeanAbsoluteError
    from distnet.metrics.of_losses import MeanAbsolutePercentageError as MeanAbsolutePercentageError
    from distnet.metrics.of_losses import MeanSquaredError as MeanSquaredError
    from distnet.metrics.of_losses import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
    from distnet.metrics.of_losses import Poisson as Poisson
    from distnet.metrics.of_losses import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
    from distnet.metrics.of_losses import SquaredHinge as SquaredHinge
    from distnet.metrics.regression import CosineSimilarity as CosineSimilarity
    from distnet.metrics.regression import MeanRelativeError as MeanRelativeError
    from distnet.metrics.regression import R2Score as R2Score
    from distnet.metrics.regression import RootMeanSquaredError as RootMeanSquaredError
    from distnet.metrics.running import Mean as Mean
    from distnet.metrics.running import Sum as Sum

_OWN = homes(
    __name__,
    {
        "accuracy": (
            "Accuracy BinaryAccuracy CategoricalAccuracy SparseCategoricalAccuracy SparseTopKCategoricalAccuracy "
            "TopKCategoricalAccuracy binary_accuracy categorical_accuracy sparse_categorical_accuracy "
            "sparse_top_k_categorical_accuracy top_k_categorical_accuracy"
        ),
        "auc": "AUC",
        "base": "Metric",
        "confusion": (
            "FalseNegatives FalsePositives Precision PrecisionAtRecall Recall RecallAtPrecision "
            "SensitivityAtSpecificity SpecificityAtSensitivity TrueNegatives TruePositives"
        ),
        "correlation": "ConcordanceCorrelation PearsonCorrelation concordance_correlation pearson_correlation",
        "fscore": "F1Score FBetaScore",
        "iou": "BinaryIoU IoU MeanIoU OneHotIoU OneHotMeanIoU",
        "means": "METRICS MeanMetricWrapper",
        "metric_names": "deserialize get resolve serialize",
        "of_losses": (
            "BinaryCrossentropy CategoricalCrossentropy SparseCategoricalCrossentropy MeanSquaredError "
            "MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredLogarithmicError LogCoshError KLDivergence "
            "Poisson Hinge SquaredHinge CategoricalHinge"
        ),
        "regression": "CosineSimilarity MeanRelativeError R2Score RootMeanSquaredError",
        "running": "Mean Sum",
    },
)
_OF_LOSSES = (
    "KLD MAE MAPE MSE MSLE binary_focal_crossentropy categorical_focal_crossentropy huber kld "
    "kullback_leibler_divergence logcosh mae mape mse msle binary_crossentropy categorical_crossentropy "
    "sparse_categorical_crossentropy mean_squared_error mean_absolute_error mean_absolute_percentage_error "
    "mean_squared_logarithmic_error log_cosh kl_divergence poisson hinge squared_hinge categorical_hinge"
)
_HOMES = {**_OWN, **homes("distnet", {"losses": _OF_LOSSES})}
"""Every public name, as above for who checks types."""

__all__ = [*_HOMES]

METRICS.expect({**homes(__name__, {"accuracy": "acc", "of_losses": _OF_LOSSES}), **_OWN})

__getattr__, __dir__ = late_names(__name__, _HOMES, names_elsewhere(__name__))
