"""Keras's path of the optimizers that take ``lr`` and ``decay``: here all do."""

from __future__ import annotations

from distnet.optimizers import SGD as SGD
from distnet.optimizers import Adadelta as Adadelta
from distnet.optimizers import Adagrad as Adagrad
from distnet.optimizers import Adam as Adam
from distnet.optimizers import Adamax as Adamax
from distnet.optimizers import Ftrl as Ftrl
from distnet.optimizers import Nadam as Nadam
from distnet.optimizers import Optimizer as Optimizer
from distnet.optimizers import RMSprop as RMSprop
