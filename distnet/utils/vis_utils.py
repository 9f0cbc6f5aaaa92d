"""Keras 2's path of ``plot_model`` and ``model_to_dot``."""

from __future__ import annotations

from distnet.models.plotting import model_to_dot as model_to_dot
from distnet.models.plotting import plot_model as plot_model
