"""Initial values of weights: constants, and random numbers from Keras's distributions.

Only the distributions are Keras's; the random numbers themselves differ even between Keras's own backends.

>>> GlorotUniform(seed=1)((2, 3)).shape
(2, 3)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.initializers.base import INITIALIZERS as INITIALIZERS
from distnet.initializers.base import FunctionInitializer as FunctionInitializer
from distnet.initializers.base import Initializer as Initializer
from distnet.initializers.base import deserialize as deserialize
from distnet.initializers.base import get as get
from distnet.initializers.base import serialize as serialize
from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.initializers.constants import Constant as Constant
    from distnet.initializers.constants import Identity as Identity
    from distnet.initializers.constants import IdentityInitializer as IdentityInitializer
    from distnet.initializers.constants import Ones as Ones
    from distnet.initializers.constants import Zeros as Zeros
    from distnet.initializers.constants import constant as constant
    from distnet.initializers.constants import identity as identity
    from distnet.initializers.constants import one as one
    from distnet.initializers.constants import ones as ones
    from distnet.initializers.constants import zero as zero
    from distnet.initializers.constants import zeros as zeros
    from distnet.initializers.distributions import Orthogonal as Orthogonal
    from distnet.initializers.distributions import OrthogonalInitializer as OrthogonalInitializer
    from distnet.initializers.distributions import RandomNormal as RandomNormal
    from distnet.initializers.distributions import RandomUniform as RandomUniform
    from distnet.initializers.distributions import TruncatedNormal as TruncatedNormal
    from distnet.initializers.distributions import normal as normal
    from distnet.initializers.distributions import orthogonal as orthogonal
    from distnet.initializers.distributions import random_normal as random_normal
    from distnet.initializers.distributions import random_uniform as random_uniform
    from distnet.initializers.distributions import truncated_normal as truncated_normal
    from distnet.initializers.distributions import uniform as uniform
    from distnet.initializers.fourier_kernels import STFT as STFT
    from distnet.initializers.fourier_kernels import STFTInitializer as STFTInitializer
    from distnet.initializers.fourier_kernels import stft as stft
    from distnet.initializers.scaling import GlorotNormal as GlorotNormal
    from distnet.initializers.scaling import GlorotUniform as GlorotUniform
    from distnet.initializers.scaling import HeNormal as HeNormal
    from distnet.initializers.scaling import HeUniform as HeUniform
    from distnet.initializers.scaling import LecunNormal as LecunNormal
    from distnet.initializers.scaling import LecunUniform as LecunUniform
    from distnet.initializers.scaling import VarianceScaling as VarianceScaling
    from distnet.initializers.scaling import compute_fans as compute_fans
    from distnet.initializers.scaling import glorot_normal as glorot_normal
    from distnet.initializers.scaling import glorot_uniform as glorot_uniform
    from distnet.initializers.scaling import he_normal as he_normal
    from distnet.initializers.scaling import he_uniform as he_uniform
    from distnet.initializers.scaling import lecun_normal as lecun_normal
    from distnet.initializers.scaling import lecun_uniform as lecun_uniform
    from distnet.initializers.scaling import variance_scaling as variance_scaling

_HOMES = homes(
    __name__,
    {
        "base": "FunctionInitializer INITIALIZERS Initializer deserialize get serialize",
        "constants": "Constant Identity IdentityInitializer Ones Zeros constant identity one ones zero zeros",
        "distributions": (
            "Orthogonal OrthogonalInitializer RandomNormal RandomUniform TruncatedNormal normal orthogonal "
            "random_normal random_uniform truncated_normal uniform"
        ),
        "fourier_kernels": "STFT STFTInitializer stft",
        "scaling": (
            "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform VarianceScaling compute_fans "
            "glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform variance_scaling"
        ),
    },
)
"""Every public name, as above for who checks types. Each is imported when it is first named."""

__all__ = [*_HOMES]

INITIALIZERS.expect(_HOMES)

__getattr__, __dir__ = late_names(__name__, _HOMES, names_elsewhere(__name__))
