"""Models: layers that are trained, saved and loaded together."""

from __future__ import annotations

from distnet.absent import because, names_elsewhere
from distnet.models.cloning import clone_model as clone_model
from distnet.models.configuration import model_from_config as model_from_config
from distnet.models.configuration import model_from_json as model_from_json
from distnet.models.functional import Functional as Functional
from distnet.models.model import Model as Model
from distnet.models.sequential import Sequential as Sequential
from distnet.models.subclassed import SubclassedModel as _SubclassedModel  # noqa: F401 - bases of users' classes
from distnet.saving import load_model as load_model
from distnet.saving import save_model as save_model

__getattr__ = names_elsewhere(
    __name__,
    absent={
        **because("YAML can name code to run. Write to_json() and read it with model_from_json.", "model_from_yaml"),
        **because("it ended with Keras 1. Use Model(inputs, outputs).", "Graph"),
    },
)
