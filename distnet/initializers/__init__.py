"""Initial values of weights: constants, and random numbers from Keras's distributions.

Only the distributions are Keras's; the random numbers themselves differ even between Keras's own backends.

>>> GlorotUniform(seed=1)((2, 3)).shape
(2, 3)
"""

from distnet.absent import names_elsewhere
from distnet.initializers.base import INITIALIZERS, FunctionInitializer, Initializer, deserialize, get, serialize
from distnet.initializers.constants import Constant, Identity, Ones, Zeros
from distnet.initializers.distributions import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from distnet.initializers.fourier_kernels import STFT
from distnet.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    compute_fans,
)

stft = STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
one = ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
normal = random_normal = RandomNormal
uniform = random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zero = zeros = Zeros

__all__ = [
    "Constant",
    "FunctionInitializer",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "INITIALIZERS",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "STFT",
    "STFTInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "one",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "zero",
    "zeros",
]

__getattr__ = names_elsewhere(__name__)
