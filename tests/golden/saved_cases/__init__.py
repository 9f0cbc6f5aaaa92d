"""Models that Keras saves and distnet reads: each a function of the package ``k`` (keras or tf_keras).

It returns the compiled model, its inputs and its targets.
"""

from . import graphs, layers, losses, meanings, optimizers, sequences, volumes
from .parts import CASES

__all__ = ["CASES", "graphs", "layers", "losses", "meanings", "optimizers", "sequences", "volumes"]
