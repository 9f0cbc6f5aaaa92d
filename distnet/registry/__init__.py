"""Class <-> name, and the only JSON codec: what ``get_config`` writes, ``from_config`` reads."""

from distnet.registry.configurable import (
    BESIDE,
    IF_SET,
    LEFT_OUT,
    Configurable,
    beside,
    fields_beside,
    said_beside,
    to_json,
    users_code_of,
)
from distnet.registry.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    describing,
    get_custom_objects,
    is_custom,
    is_describing,
    known_custom_objects,
    register_keras_serializable,
    registered_name,
)
from distnet.registry.family import Registry, Resolved
from distnet.registry.room_functions import functions_of

__all__ = [
    "BESIDE",
    "IF_SET",
    "LEFT_OUT",
    "Configurable",
    "CustomObjectScope",
    "Registry",
    "Resolved",
    "beside",
    "custom_object_scope",
    "describing",
    "fields_beside",
    "functions_of",
    "get_custom_objects",
    "is_custom",
    "is_describing",
    "known_custom_objects",
    "register_keras_serializable",
    "registered_name",
    "said_beside",
    "to_json",
    "users_code_of",
]
