"""Models from their configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from distnet.dialects.reading import in_present_words
from distnet.errors import ArgumentError, CheckpointError
from distnet.layers import LAYERS
from distnet.models.model import Model
from distnet.registry import custom_object_scope
from distnet.saving.json_text import parsed
from distnet.types import Json


def model_from_config(config: Mapping[str, Json], custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model of a configuration ``{"class_name", "config"}``, with new weights.

    Raises:
        ArgumentError: it does not describe a model, or one that cannot be built.

    Source: ``keras.models.model_from_config``.
    """
    with custom_object_scope(custom_objects):
        made = LAYERS.get(config)
    if not isinstance(made, Model):
        raise ArgumentError(f"expected the configuration of a model, received that of a {type(made).__name__}.")
    return made


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """The model of a JSON text that ``to_json`` wrote, here or in Keras, with new weights.

    It is compiled if the text says how, as Keras 3's does.

    Args:
        custom_objects: classes and functions of your own that it uses, by name.

    Raises:
        ArgumentError: the text is not JSON, holds code, describes no model, or one that needs more memory than there
            is.
        ShapeError: a layer of the model does not fit the one before it.

    Source: ``keras.models.model_from_json``.
    """
    with custom_object_scope(custom_objects):
        try:
            config = parsed(json_string, "model_from_json: the text")
            model = model_from_config(cast(dict[str, Json], in_present_words(config, config.get("keras_version"))))
            if config.get("compile_config"):
                model.compile_from_config(config["compile_config"])
        except CheckpointError as error:
            raise ArgumentError(f"{error} Expected the JSON text of a model, as to_json() gives it.") from None
        except MemoryError as error:
            raise ArgumentError("model_from_json: the model needs more memory than there is.") from error
    return model
