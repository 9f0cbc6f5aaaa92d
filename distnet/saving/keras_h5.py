"""The layout of Keras's whole-model HDF5 file, stated once.

::

    /                          @keras_version @backend @model_config @training_config
    /model_weights             @layer_names
    /model_weights/<layer>     @weight_names, and the datasets they name
    /optimizer_weights         @weight_names, and the datasets they name; see ``optimizer_state``
    /distnet                   what exact resumption needs; see ``training_state``

Source: Keras's legacy HDF5 format; the attributes are those that every Keras reads.
"""

from __future__ import annotations

import json
import reprlib
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from distnet.dialects import optimizer_state
from distnet.dialects.optimizer_schemes import Scheme, scheme_of
from distnet.dialects.reading import in_present_words
from distnet.dialects.versions import FIRST_VERSION, KERAS_VERSION
from distnet.dialects.weight_layouts import Held, Origin, in_present_layout, slots_in_present_layout
from distnet.errors import CheckpointError
from distnet.layers import InputLayer, Layer
from distnet.saving import contents
from distnet.saving.json_text import parsed
from distnet.saving.late_h5py import h5py
from distnet.saving.stored_model import StoredModel, store_to_fill
from distnet.types import Array, Json
from distnet.variables import Variable

_TOP = "top_level_model_weights"
_ATTRIBUTE_LIMIT_BYTES = 64512
"""Attributes in an HDF5 object header must stay below 64 KB."""

_PLACES = "distnet_places"
"""Where the weights of a layer's group stand in the layer, if there are layers within.

Keras lists trained weights first, and does not say what was frozen: where that differs between who writes and who
reads, Keras fills other weights of the same shapes, without a word.
"""


def write_header(file: h5py.File, model_config: Json, training_config: Json | None, version: str) -> None:
    """Write the root's attributes; ``version`` is the Keras whose words they are in."""
    file.attrs["keras_version"] = version
    file.attrs["backend"] = "tensorflow"
    file.attrs["model_config"] = json.dumps(model_config).encode()
    if training_config is not None:
        file.attrs["training_config"] = json.dumps(training_config).encode()


def write_weights(group: h5py.Group, layers: Sequence[Layer], own: Sequence[Variable] = ()) -> None:
    """Write the weights of ``layers``, one group each, in Keras's order, and the ``own`` ones of the model."""
    layers = [layer for layer in layers if not isinstance(layer, InputLayer)]
    group.attrs["backend"] = b"tensorflow"
    group.attrs["keras_version"] = KERAS_VERSION.encode()
    write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in sorted(layers, key=lambda layer: layer.name):
        part = group.create_group(layer.name)
        variables = _in_order(layer)
        names = [f"{variable.local_path}:0" for variable in variables]
        write_names(part, "weight_names", names)
        if any(True for _ in layer.inner_layers()):
            part.attrs[_PLACES] = _places(layer, variables)
        for name, variable in zip(names, variables, strict=True):
            part[name] = variable.stored
    top = group.create_group(_TOP)
    names = [f"{variable.local_path}:0" for variable in own]
    write_names(top, "weight_names", names)
    for name, variable in zip(names, own, strict=True):
        top[name] = variable.stored


def write_optimizer_state(file: h5py.File, model: StoredModel, scheme: Scheme) -> None:
    """Write the state of a compiled model's optimizer as that generation of Keras does."""
    if model.optimizer is None or model.store is None:
        return
    group = file.create_group("optimizer_weights")
    listed = optimizer_state.arrays(scheme, model.optimizer, model.store)
    write_names(group, "weight_names", [entry.name for entry, _ in listed])
    for entry, value in listed:
        group[entry.name] = value


def weights_group(file: h5py.File) -> h5py.Group:
    """The group that holds the weights: the root itself in a file of weights alone.

    Raises:
        CheckpointError: there is none.
    """
    is_alone = "layer_names" in file.attrs or "layer_names0" in file.attrs
    return file if is_alone else contents.group(file, "model_weights")


def read_config(file: h5py.File, name: str) -> dict[str, Any] | None:
    """The JSON of a root attribute, in present words; None where there is none.

    Raises:
        CheckpointError: it is no JSON object, or holds code.
        ArgumentError: it has a form that no Keras gives it.
    """
    text = contents.text(file, name)
    if text is None:
        return None
    config = parsed(text, f"{file.filename}: the attribute {name}")
    return cast(dict[str, Any], in_present_words(config, contents.text(file, "keras_version") or FIRST_VERSION))


def read_optimizer_state(file: h5py.File, model: StoredModel) -> None:
    """Continue a compiled model's optimizer where Keras left it, if the file says where.

    If the state does not fit, warn and start afresh, as Keras does.
    """
    group = file.get("optimizer_weights")
    optimizer, store = model.optimizer, store_to_fill(model)
    if not isinstance(group, h5py.Group) or optimizer is None or store is None:
        return
    names, weights = contents.names(group, "weight_names"), weights_group(file)
    values = [dataset[()] for dataset in _datasets(group, names)]
    try:
        origin, scheme = _origin(weights), scheme_of(names)
        if not scheme.is_interleaved:
            values = slots_in_present_layout(_held(weights, model.layers, origin), values, origin)
        optimizer_state.fill(optimizer, store, values, names if len(names) == len(values) else None, scheme)
    except CheckpointError as error:
        warnings.warn(
            f"{file.filename}: the optimizer's state in it cannot be used: {error} The optimizer starts afresh.",
            stacklevel=4,
        )


def read_weights(
    group: h5py.Group, layers: Sequence[Layer], skip_mismatch: bool = False, own: Sequence[Variable] = ()
) -> None:
    """Fill the weights of ``layers`` from the file by position, as Keras does; if they do not fit, change nothing.

    Args:
        skip_mismatch: skip arrays of other shapes, with a warning.
        own: the model's weights that are none of its layers'.

    Raises:
        CheckpointError: the file holds other layers, or arrays of other shapes.
    """
    origin = _origin(group)
    pairs: list[tuple[Variable, Array]] = []
    for layer, name in _by_place(group, layers, origin):
        pairs += _pairs(group, name, layer, _arrays(group, name, layer, origin), skip_mismatch)
    if own:
        top = contents.group(group, _TOP)
        arrays = [dataset[()] for dataset in _datasets(top, contents.names(top, "weight_names"))]
        pairs += _fitting(f"{group.file.filename}: {_TOP}", own, arrays, skip_mismatch)
    _assign(pairs)


def read_weights_by_name(group: h5py.Group, layers: Sequence[Layer], skip_mismatch: bool = False) -> None:
    """Fill the weights of the layers whose names the file knows; the others stay as they are, as in Keras.

    Args:
        skip_mismatch: skip layers with another number of weights and arrays of other shapes, with a warning.

    Raises:
        CheckpointError: a layer with such a name has other weights.
    """
    origin, saved = _origin(group), set(contents.names(group, "layer_names"))
    pairs: list[tuple[Variable, Array]] = []
    for layer in layers:
        if layer.name not in saved:
            continue
        arrays = _arrays(group, layer.name, layer, origin)
        if skip_mismatch and len(arrays) != len(layer.weights):
            warnings.warn(
                f"{group.file.filename}: layer {layer.name} is passed over: it has {len(layer.weights)} weights in the "
                f"model and {len(arrays)} in the file.",
                stacklevel=4,
            )
            continue
        pairs += _pairs(group, layer.name, layer, arrays, skip_mismatch)
    _assign(pairs)


def first_weights(group: h5py.Group) -> tuple[int, ...] | None:
    """The shape of the first array of weights; None where there is none."""
    first = next(((layer, names[0]) for layer, names in _layers_of(group) if names), None)
    return None if first is None else cast(tuple[int, ...], contents.dataset(group, "/".join(first)).shape)


def write_names(group: h5py.Group, attribute: str, names: Sequence[str]) -> None:
    """Write a list of names as an attribute, in several where one would be too large."""
    encoded = np.array([name.encode() for name in names]) if names else np.empty(0)
    if encoded.nbytes <= _ATTRIBUTE_LIMIT_BYTES:
        group.attrs[attribute] = encoded.tolist() if names else encoded
        return
    if encoded.itemsize > _ATTRIBUTE_LIMIT_BYTES:
        raise CheckpointError(f"{group.file.filename}: a name in {attribute} is longer than 64 KB.")
    pieces = 2
    while any(piece.nbytes > _ATTRIBUTE_LIMIT_BYTES for piece in np.array_split(encoded, pieces)):
        pieces += 1
    for i, piece in enumerate(np.array_split(encoded, pieces)):
        group.attrs[f"{attribute}{i}"] = piece


def _datasets(group: h5py.Group, listed: Sequence[str]) -> list[h5py.Dataset]:
    """The arrays of these names, not read yet; each is there once, whatever the names say."""
    arrays = [contents.dataset(group, name) for name in listed]
    if len({h5py.h5o.get_info(array.id).addr for array in arrays}) < len(arrays):
        raise CheckpointError(f"{group.file.filename}: {group.name} gives one array several names.")
    return arrays


def _in_order(layer: Layer) -> list[Variable]:
    """A layer's weights as the file lists them: in a model within the model too, all that are trained come first.

    A weight that was frozen by itself counts as trained: the file does not say that it was.
    """
    frozen = [v for v in layer.variables if v.was_trainable and not v.trainable]
    for variable in frozen:
        variable.trainable = True
    try:
        return layer.trainable_weights + layer.non_trainable_weights
    finally:
        for variable in frozen:
            variable.trainable = False


def _places(layer: Layer, listed: Sequence[Variable]) -> str:
    """Where the listed weights stand among the layer's variables."""
    places = {id(variable): place for place, variable in enumerate(layer.variables)}
    return " ".join(str(places[id(variable)]) for variable in listed)


def _listed(part: h5py.Group, layer: Layer) -> list[Variable]:
    """A layer's weights as its group lists them: as distnet says there, for Keras does not.

    Raises:
        CheckpointError: a place is none of the layer's.
    """
    text = contents.text(part, _PLACES)
    if text is None:
        return _in_order(layer)
    places = [int(place) if place.isdecimal() else -1 for place in text.split(" ")]
    if len(set(places)) < len(places) or not all(0 <= place < len(layer.variables) for place in places):
        raise CheckpointError(
            f"{part.file.filename}: {part.name}: attribute {_PLACES}: expected places of the {len(layer.variables)} "
            f"variables of {layer.name}, found {text!r:.100}."
        )
    return [layer.variables[place] for place in places]


def _origin(group: h5py.Group) -> Origin:
    """Who wrote the group of a model's weights."""
    version, backend = (
        contents.text(group, key) or contents.text(group.file, key) for key in ("keras_version", "backend")
    )
    return Origin.of(version, backend, lambda: (name for _, names in _layers_of(group) for name in names))


def _layers_of(group: h5py.Group) -> Iterator[tuple[str, list[str]]]:
    """The names of the layers in the file, each with those of its weights."""
    for layer in contents.names(group, "layer_names"):
        yield layer, contents.names(contents.group(group, layer), "weight_names")


def _by_place(group: h5py.Group, layers: Sequence[Layer], origin: Origin) -> list[tuple[Layer, str]]:
    """The layers that have weights, each with the name under which the file holds them.

    Raises:
        CheckpointError: the file holds weights of another number of layers.
    """
    names = [name for name, weights in _layers_of(group) if weights]
    with_weights = [layer for layer in layers if layer.weights]
    if len(names) != len(with_weights):
        raise CheckpointError(
            f"{group.file.filename}: holds weights of {len(names)} layers {names}, but the model has "
            f"{len(with_weights)} {[layer.name for layer in with_weights]}."
        )
    own = [layer.name for layer in with_weights]
    return list(zip(with_weights, origin.in_order_of(own, names), strict=True))


def _held(group: h5py.Group, layers: Sequence[Layer], origin: Origin) -> list[Held]:
    """The file's weights for each layer that has weights."""
    held = []
    for layer, name in _by_place(group, layers, origin):
        part = contents.group(group, name)
        names = contents.names(part, "weight_names")
        held.append(Held(layer, names, [dataset.shape for dataset in _datasets(part, names)]))
    return held


def _arrays(group: h5py.Group, name: str, layer: Layer, origin: Origin) -> list[Array]:
    """What the file holds under ``name``, laid out as ``layer`` has it."""
    part = contents.group(group, name)
    return in_present_layout(layer, [d[()] for d in _datasets(part, contents.names(part, "weight_names"))], origin)


def _pairs(
    group: h5py.Group, name: str, layer: Layer, arrays: Sequence[Array], skip_mismatch: bool
) -> list[tuple[Variable, Array]]:
    """The variables of a layer with the arrays to fill them with."""
    listed = _listed(contents.group(group, name), layer)
    return _fitting(f"{group.file.filename}: layer {name}", listed, arrays, skip_mismatch)


def _fitting(
    where: str, variables: Sequence[Variable], arrays: Sequence[Array], skip_mismatch: bool
) -> list[tuple[Variable, Array]]:
    """The variables with the arrays to fill them with.

    Raises:
        CheckpointError: their numbers or shapes differ.
    """
    pairs = list(zip(variables, arrays, strict=False))
    fitting = [(variable, array) for variable, array in pairs if variable.shape == array.shape]
    if len(variables) != len(arrays) or (len(fitting) < len(pairs) and not skip_mismatch):
        expected, shapes = [v.shape for v in variables], reprlib.repr([array.shape for array in arrays])
        raise CheckpointError(f"{where}: expected weights of shapes {expected}, found {shapes}.")
    for variable, array in pairs:
        if variable.shape != array.shape:
            warnings.warn(
                f"{where}: {variable.local_path} is passed over: it has the shape {variable.shape} in the model and "
                f"{array.shape} in the file.",
                stacklevel=5,
            )
    return fitting


def _assign(pairs: Sequence[tuple[Variable, Array]]) -> None:
    for variable, array in pairs:
        variable.assign(array)
