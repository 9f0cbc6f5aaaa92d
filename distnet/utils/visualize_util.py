"""Keras 1's path of ``plot_model`` and ``model_to_dot``, there ``plot`` and ``to_graph``."""

from __future__ import annotations

from distnet.models.plotting import model_to_dot as model_to_dot
from distnet.models.plotting import plot_model as plot_model

plot = plot_model
to_graph = model_to_dot
