"""Data-parallel training of neural networks on CPUs, with Keras's interface on NumPy, MPI and HDF5."""

from __future__ import annotations

from distnet import activations as activations
from distnet import backend as backend
from distnet import callbacks as callbacks
from distnet import config as config
from distnet import constraints as constraints
from distnet import datasets as datasets
from distnet import distribution as distribution
from distnet import initializers as initializers
from distnet import layers as layers
from distnet import losses as losses
from distnet import metrics as metrics
from distnet import models as models
from distnet import optimizers as optimizers
from distnet import preprocessing as preprocessing
from distnet import regularizers as regularizers
from distnet import saving as saving
from distnet import utils as utils
from distnet.layers import Input as Input
from distnet.layers import Layer as Layer
from distnet.models import Model as Model
from distnet.models import Sequential as Sequential

__version__ = "0.1.0"
