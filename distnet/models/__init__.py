"""Models: layers that are trained, saved and loaded together."""

from __future__ import annotations

from distnet.models.functional import Functional as Functional
from distnet.models.model import Model as Model
from distnet.models.sequential import Sequential as Sequential
from distnet.saving import load_model as load_model
from distnet.saving import save_model as save_model
