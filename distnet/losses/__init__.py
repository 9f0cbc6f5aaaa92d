"""Losses: what training minimizes. As classes, and as functions of one value per sample.

Each is imported when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.late_rooms import homes, late_names
from distnet.losses.base import Loss as Loss
from distnet.losses.kinds import LOSSES as LOSSES
from distnet.losses.kinds import FunctionLoss as FunctionLoss
from distnet.losses.loss_names import canonical_name as canonical_name
from distnet.losses.loss_names import deserialize as deserialize
from distnet.losses.loss_names import get as get
from distnet.losses.loss_names import resolve as resolve
from distnet.losses.loss_names import serialize as serialize

if TYPE_CHECKING:
    from distnet.losses.crossentropy import BCE as BCE
    from distnet.losses.crossentropy import BinaryCrossentropy as BinaryCrossentropy
    from distnet.losses.crossentropy import CategoricalCrossentropy as CategoricalCrossentropy
    from distnet.losses.crossentropy import CategoricalGeneralizedCrossEntropy as CategoricalGeneralizedCrossEntropy
    from distnet.losses.crossentropy import SparseCategoricalCrossentropy as SparseCategoricalCrossentropy
    from distnet.losses.crossentropy import bce as bce
    from distnet.losses.crossentropy import binary_crossentropy as binary_crossentropy
    from distnet.losses.crossentropy import categorical_crossentropy as categorical_crossentropy
    from distnet.losses.crossentropy import (
        categorical_generalized_cross_entropy as categorical_generalized_cross_entropy,
    )
    from distnet.losses.crossentropy import sparse_categorical_crossentropy as sparse_categorical_crossentropy
    from distnet.losses.distances import MAE as MAE
    from distnet.losses.distances import MAPE as MAPE
    from distnet.losses.distances import MSE as MSE
    from distnet.losses.distances import MSLE as MSLE
    from distnet.losses.distances import CosineSimilarity as CosineSimilarity
    from distnet.losses.distances import Huber as Huber
    from distnet.losses.distances import LogCosh as LogCosh
    from distnet.losses.distances import MeanAbsoluteError as MeanAbsoluteError
    from distnet.losses.distances import MeanAbsolutePercentageError as MeanAbsolutePercentageError
    from distnet.losses.distances import MeanSquaredError as MeanSquaredError
    from distnet.losses.distances import MeanSquaredLogarithmicError as MeanSquaredLogarithmicError
    from distnet.losses.distances import cosine_similarity as cosine_similarity
    from distnet.losses.distances import huber as huber
    from distnet.losses.distances import log_cosh as log_cosh
    from distnet.losses.distances import logcosh as logcosh
    from distnet.losses.distances import mae as mae
    from distnet.losses.distances import mape as mape
    from distnet.losses.distances import mean_absolute_error as mean_absolute_error
    from distnet.losses.distances import mean_absolute_percentage_error as mean_absolute_percentage_error
    from distnet.losses.distances import mean_squared_error as mean_squared_error
    from distnet.losses.distances import mean_squared_logarithmic_error as mean_squared_logarithmic_error
    from distnet.losses.distances import mse as mse
    from distnet.losses.distances import msle as msle
    from distnet.losses.divergence import KLD as KLD
    from distnet.losses.divergence import KLDivergence as KLDivergence
    from distnet.losses.divergence import Poisson as Poisson
    from distnet.losses.divergence import kl_divergence as kl_divergence
    from distnet.losses.divergence import kld as kld
    from distnet.losses.divergence import kullback_leibler_divergence as kullback_leibler_divergence
    from distnet.losses.divergence import poisson as poisson
    from distnet.losses.focal import BinaryFocalCrossentropy as BinaryFocalCrossentropy
    from distnet.losses.focal import CategoricalFocalCrossentropy as CategoricalFocalCrossentropy
    from distnet.losses.focal import binary_focal_crossentropy as binary_focal_crossentropy
    from distnet.losses.focal import categorical_focal_crossentropy as categorical_focal_crossentropy
    from distnet.losses.hinges import CategoricalHinge as CategoricalHinge
    from distnet.losses.hinges import Hinge as Hinge
    from distnet.losses.hinges import SquaredHinge as SquaredHinge
    from distnet.losses.hinges import categorical_hinge as categorical_hinge
    from distnet.losses.hinges import hinge as hinge
    from distnet.losses.hinges import squared_hinge as squared_hinge
    from distnet.losses.overlap import Dice as Dice
    from distnet.losses.overlap import Tversky as Tversky
    from distnet.losses.overlap import dice as dice
    from distnet.losses.overlap import tversky as tversky
    from distnet.losses.pairs import Circle as Circle
    from distnet.losses.pairs import circle as circle
    from distnet.losses.sequences import CTC as CTC
    from distnet.losses.sequences import ctc as ctc

_HOMES = homes(
    __name__,
    {
        "base": "Loss",
        "crossentropy": (
            "BCE BinaryCrossentropy CategoricalCrossentropy CategoricalGeneralizedCrossEntropy "
            "SparseCategoricalCrossentropy bce binary_crossentropy categorical_crossentropy "
            "categorical_generalized_cross_entropy sparse_categorical_crossentropy"
        ),
        "distances": (
            "MAE MAPE MSE MSLE CosineSimilarity Huber LogCosh MeanAbsoluteError MeanAbsolutePercentageError "
            "MeanSquaredError MeanSquaredLogarithmicError cosine_similarity huber log_cosh logcosh mae mape "
            "mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error "
            "mse msle"
        ),
        "divergence": "KLD KLDivergence Poisson kl_divergence kld kullback_leibler_divergence poisson",
        "focal": (
            "BinaryFocalCrossentropy CategoricalFocalCrossentropy binary_focal_crossentropy "
            "categorical_focal_crossentropy"
        ),
        "hinges": "CategoricalHinge Hinge SquaredHinge categorical_hinge hinge squared_hinge",
        "kinds": "LOSSES FunctionLoss",
        "loss_names": "canonical_name deserialize get resolve serialize",
        "overlap": "Dice Tversky dice tversky",
        "pairs": "Circle circle",
        "sequences": "CTC ctc",
    },
)
"""Every public name, as above for who checks types."""

__all__ = [*_HOMES]

LOSSES.expect(_HOMES)

__getattr__, __dir__ = late_names(__name__, _HOMES, names_elsewhere(__name__))
