"""Models as scikit-learn estimators, by Keras 3's names; ``scikit_learn`` holds Keras 2's."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distnet.wrappers import scikit_learn as scikit_learn
    from distnet.wrappers.keras_3 import SKLearnClassifier as SKLearnClassifier
    from distnet.wrappers.keras_3 import SKLearnRegressor as SKLearnRegressor
    from distnet.wrappers.keras_3 import SKLearnTransformer as SKLearnTransformer

_KERAS_3 = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")


def __getattr__(name: str) -> Any:
    if name == "scikit_learn":
        return importlib.import_module("distnet.wrappers.scikit_learn")
    if name in _KERAS_3:
        return getattr(importlib.import_module("distnet.wrappers.keras_3"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_KERAS_3, "scikit_learn"})
