"""What losses and metrics share: how far predictions are from targets, one value per sample."""

from distnet.criteria.base import Criterion, Pullback, criterion
from distnet.criteria.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from distnet.criteria.distributions import kl_divergence, poisson
from distnet.criteria.focal import (
    binary_focal_crossentropy,
    binary_focal_crossentropy_of_logits,
    categorical_focal_crossentropy,
)
from distnet.criteria.margins import categorical_hinge, hinge, squared_hinge
from distnet.criteria.overlap import dice, tversky
from distnet.criteria.pairs import circle
from distnet.criteria.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from distnet.criteria.sequences import ctc

__all__ = [
    "Criterion",
    "Pullback",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "binary_focal_crossentropy_of_logits",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "criterion",
    "ctc",
    "dice",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
]
