"""Models: layers that are trained, saved and loaded together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import because, names_elsewhere
from distnet.late_rooms import homes, late_names
from distnet.models.cloning import clone_model as clone_model
from distnet.models.configuration import model_from_config as model_from_config
from distnet.models.configuration import model_from_json as model_from_json
from distnet.models.functional import Functional as Functional
from distnet.models.model import Model as Model
from distnet.models.sequential import Sequential as Sequential
from distnet.models.subclassed import SubclassedModel as _SubclassedModel  # noqa: F401 - bases of users' classes

if TYPE_CHECKING:
    from distnet.saving.model_file import load_model as load_model
    from distnet.saving.model_file import save_model as save_model

_HOMES = homes("distnet", {"saving.model_file": "load_model save_model"})
_elsewhere = names_elsewhere(
    __name__,
    absent={
        **because("YAML can name code to run. Write to_json() and read it with model_from_json.", "model_from_yaml"),
        **because("it ended with Keras 1. Use Model(inputs, outputs).", "Graph"),
    },
)
__getattr__, __dir__ = late_names(__name__, _HOMES, _elsewhere)

__all__ = ["Functional", "Model", "Sequential", "clone_model", "model_from_config", "model_from_json", *_HOMES]
