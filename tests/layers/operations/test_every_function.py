"""Every function of ``distnet.ops`` on placeholders: shapes, dtypes, values, and files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import distnet as keras
from op_cases import OpCase, every_case, is_array, leaves, put

DEPEND_ON_ENTRIES = {"nonzero", "get_item", "bincount", "unique"}
"""Whose results may have another shape for other entries of the same arrays."""


def fed(case: OpCase) -> list[Any]:
    """The arrays that are fed to the model: those with as many rows as the first one."""
    arrays = [leaf for leaf in leaves(case.args) if is_array(leaf)]
    rows = len(arrays[0]) if arrays and arrays[0].ndim else 0
    return [a for a in arrays if rows and a.ndim and len(a) == rows and a.dtype.kind != "c"]


def made_models() -> Iterator[tuple[OpCase, Any, list[Any], list[Any]]]:
    """The cases with a model of each, what it is fed, and what the function gives for arrays."""
    for case in every_case():
        arrays = fed(case)
        arrays = arrays[:1] if case.name == "trapezoid" else arrays  # whose places are no operand in Keras
        if not arrays or (case.name == "where" and len(case.args) == 1):  # which is nonzero
            continue
        inputs = [keras.Input(batch_shape=a.shape, dtype=a.dtype.name) for a in arrays]
        waiting = list(zip(arrays, inputs, strict=True))

        def placed(leaf: Any, waiting: list[Any] = waiting) -> Any:
            return waiting.pop(0)[1] if waiting and leaf is waiting[0][0] else leaf

        outputs = list(leaves(case.function(*put(case.args, placed), **case.options)))
        expected = list(leaves(case.function(*case.args, **case.options)))
        yield case, keras.Model(inputs, outputs), arrays, expected


@pytest.mark.slow
def test_placeholders_have_the_shapes_dtypes_and_values_of_arrays_also_when_read_back():
    wrong = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case, model, arrays, expected in made_models():
            for tensor, array in zip(model.outputs, expected, strict=False):
                if tuple(tensor.shape) != np.shape(array) and case.name not in DEPEND_ON_ENTRIES:
                    wrong.append((str(case), tensor.shape, np.shape(array)))
                if tensor.dtype != np.asarray(array).dtype.name:
                    wrong.append((str(case), tensor.dtype, np.asarray(array).dtype))
            for each in (model, keras.models.model_from_json(model.to_json())):
                made = each(arrays)
                for y, array in zip(made if isinstance(made, list) else [made], expected, strict=False):
                    if not np.allclose(y, array, rtol=1e-5, atol=1e-5, equal_nan=True):
                        wrong.append((str(case), "another value"))
    assert wrong == []
