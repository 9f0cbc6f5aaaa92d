"""Models: layers that are trained, saved and loaded together."""

from __future__ import annotations

from distnet.models.configuration import clone_model as clone_model
from distnet.models.configuration import model_from_config as model_from_config
from distnet.models.configuration import model_from_json as model_from_json
from distnet.models.functional import Functional as Functional
from distnet.models.model import Model as Model
from distnet.models.sequential import Sequential as Sequential
from distnet.saving import load_model as load_model
from distnet.saving import save_model as save_model
