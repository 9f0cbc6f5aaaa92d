"""The layout of Keras 3's ``.weights.h5``, which is also the ``model.weights.h5`` in a ``.keras`` archive.

::

    /layers/<class>/vars              @name; datasets "0", "1" ...; equal classes are numbered in the model's order
    /layers/<class>/<attribute>/vars  the same of an object within the layer, and /layers/... of a model within
    /optimizer/vars                   @name; what ``optimizer_schemes.KERAS_3`` lists
    /<attribute>/vars                 the same of another optimizer; of one within a layer, behind that layer's path

A layer that is shared stands where it comes first. Two dialects of it are read as well:

- Keras 2.13 calls ``layers`` ``_layer_checkpoint_dependencies``. It lists layers that have weights twice: each takes
  two numbers.
- Keras on Windows wrote ``layers\\<class>/vars``: a backslash is a slash.

Source: ``keras.saving.saving_lib._save_state`` of Keras 3.15 and 2.13.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from distnet.dialects import optimizer_state
from distnet.errors import CheckpointError
from distnet.layers import Layer
from distnet.layers.engine.own_state import arrays_of, has_own_variables
from distnet.naming import snake_case
from distnet.optimizers import Optimizer
from distnet.optimizers.wrapping import OptimizerOfOthers
from distnet.saving import attached, contents
from distnet.saving.late_h5py import h5py
from distnet.saving.stored_model import HoldsLayers, StoredModel, store_to_fill
from distnet.types import Array
from distnet.variables import Variable, Variables, VariableStore, trainable_first

_OPTIMIZER = "optimizer"
_LAYERS, _LAYERS_OF_2_13 = "layers", "_layer_checkpoint_dependencies"
_VARS = "vars"
_BACKSLASH = "\\"


@dataclass
class _Vars:
    """One group of variables: where it stands, whose name it bears, and the variables in Keras's order.

    ``layer`` is that of a user's class which itself says what stands there.
    """

    paths: list[str]
    name: str
    variables: list[Variable]
    layer: Any = None


def is_keras_weights(file: h5py.File) -> bool:
    """Whether the file has this layout."""
    roots = {name.replace(_BACKSLASH, "/").partition("/")[0] for name in file}
    is_legacy = "layer_names" in file.attrs or "model_weights" in file
    return not is_legacy and bool(roots & {_LAYERS, _LAYERS_OF_2_13, _VARS})


def write_weights(file: h5py.File, model: StoredModel, with_optimizer: bool = True) -> None:
    """Write a model's weights, and its optimizers' states once they have some."""
    write_layers(file, model)
    for where, optimizer in attached.optimizers(model) if with_optimizer else ():
        store = model.store if optimizer is model.optimizer else optimizer.built_for
        if store is None or not optimizer.built:
            if optimizer is model.optimizer or isinstance(optimizer, OptimizerOfOthers):
                continue
            store = VariableStore([], np.dtype(model.dtype))  # of one that has not begun Keras writes the settings
        for path, name, values in optimizer_state.lists(where, optimizer, store):
            made = file.create_group(f"{path}/vars")
            made.attrs["name"] = name
            for number, value in enumerate(values):
                made[str(number)] = value


def write_layers(file: h5py.File, owner: HoldsLayers) -> None:
    """Write the weights of a model, or of a layer with others within."""
    for group in _groups(owner, repeats=True):
        made = file.create_group(group.paths[0])
        made.attrs["name"] = group.name
        for number, variable in enumerate(group.variables):
            made[str(number)] = variable.stored
        for key, array in arrays_of(group.layer).items() if group.layer is not None else ():
            made[key] = array


def read_weights(file: h5py.File, model: HoldsLayers, skip_mismatch: bool = False) -> None:
    """Fill a model's weights.

    Args:
        skip_mismatch: skip layers whose weights are missing or have other shapes, with a warning.

    Raises:
        CheckpointError: the file holds other layers, or arrays of other shapes; nothing is changed then.
    """
    pairs: list[tuple[Variable, Array]] = []
    own: list[tuple[Any, dict[str, Array]]] = []
    groups = _by_path(file)
    for group in _groups(model, _LAYERS_OF_2_13 in groups):
        try:
            if group.layer is not None:
                own.append((group.layer, _own_arrays(groups, file.filename, group)))
            pairs += list(_arrays(groups, file.filename, group))
        except CheckpointError as error:
            if not skip_mismatch:
                raise
            warnings.warn(f"{error} Passed over.", stacklevel=5)
    for variable, array in pairs:
        variable.assign(array)
    for layer, arrays in own:
        layer.load_own_variables(arrays)


def read_optimizer_state(file: h5py.File, model: StoredModel) -> None:
    """Continue a compiled model's optimizer where the file left it, if the file says where.

    If the state does not fit, warn and start afresh, as Keras does.
    """
    optimizer, store = model.optimizer, store_to_fill(model)
    if optimizer is None or store is None:
        return
    places = [path for path, own in attached.optimizers(model) if own is optimizer]
    _continue(file, [*places, _OPTIMIZER], optimizer, store)


def read_other_optimizers(file: h5py.File, model: StoredModel) -> None:
    """The same for the optimizers that are attributes: for variables, each must have been built for them before."""
    for path, optimizer in attached.optimizers(model):
        if optimizer is not model.optimizer:
            _continue(file, [path], optimizer, optimizer.built_for)


def _continue(file: h5py.File, places: Sequence[str], optimizer: Optimizer, store: Variables | None) -> None:
    """Give an optimizer the state at the first of these places that the file has."""
    groups = _by_path(file)
    group = next((groups[f"{place}/vars"] for place in places if f"{place}/vars" in groups), None)
    if group is None or not len(group):
        return
    try:
        if store is None and len(group) > len(optimizer.scalars.keys() | {"iteration"}):
            raise CheckpointError(
                f"{optimizer.name}: holds {len(group)} arrays, but the optimizer has no variables yet. Call its "
                "build(variables) before."
            )
        if store is not None:
            optimizer_state.fill(optimizer, store, [contents.array(group, str(number)) for number in range(len(group))])
    except CheckpointError as error:
        warnings.warn(
            f"{file.filename}: the optimizer's state in it cannot be used: {error} The optimizer starts afresh.",
            stacklevel=5,
        )


def _by_path(file: h5py.File) -> dict[str, h5py.Group]:
    """All groups by their paths, with slashes alone."""
    groups: dict[str, h5py.Group] = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Group):
            groups.setdefault(name.replace(_BACKSLASH, "/"), item)
            parts = name.replace(_BACKSLASH, "/").split("/")
            for end in range(1, len(parts)):
                groups.setdefault("/".join(parts[:end]), item)

    file.visititems(note)
    return groups


def _groups(model: HoldsLayers, is_of_2_13: bool = False, repeats: bool = False) -> Iterator[_Vars]:
    """The groups of variables.

    Args:
        repeats: whether a layer that is the activation of several stands in each of them, as the configuration has it:
            Keras writes it once, and then cannot load the model.
    """
    visited: set[int] = set()
    is_own = has_own_variables(model)
    declared = [] if is_own else trainable_first(list(model.own_variables))
    yield _Vars([_VARS], model.name, declared, model if is_own else None)
    for where, layer in _inner(model, is_of_2_13):
        yield from _groups_of(layer, where, visited, is_of_2_13, repeats)


def _inner(layer: Layer | HoldsLayers, is_of_2_13: bool) -> Iterable[tuple[str, Layer]]:
    """The layers within, each with the path to it."""
    within = getattr(layer, "layers", None)
    return _in_2_13(within) if is_of_2_13 and within is not None else layer.inner_layers()


def _in_2_13(layers: Iterable[Layer]) -> Iterator[tuple[str, Layer]]:
    before: Counter[str] = Counter()
    for layer in layers:
        name = snake_case(type(layer).__name__)
        yield f"{_LAYERS_OF_2_13}/{name}_{before[name]}" if before[name] else f"{_LAYERS_OF_2_13}/{name}", layer
        before[name] += 2 if layer.weights else 1


def _groups_of(layer: Layer, path: str, visited: set[int], is_of_2_13: bool, repeats: bool) -> Iterator[_Vars]:
    if id(layer) in visited and not (repeats and "/activation" in path):
        return
    visited.add(id(layer))
    inner = list(_inner(layer, is_of_2_13))
    if has_own_variables(layer):
        yield _Vars([f"{path}/{_VARS}"], layer.name, [], layer)
        for where, part in inner:
            yield from _groups_of(part, f"{path}/{where}", visited, is_of_2_13, repeats)
        return
    others = {id(variable) for _, part in inner for variable in part.variables}
    others -= {id(variable) for variable in layer.stored_twice}
    objects: dict[str, list[Variable]] = {}
    for variable in layer.variables:
        if id(variable) not in others:
            objects.setdefault(_object_of(layer, variable), []).append(variable)
    yield _Vars([f"{path}/vars"], layer.name, trainable_first(objects.pop("", [])))
    for attribute, variables in objects.items():
        name = variables[0].path.split("/")[-2]
        # Early versions of Keras 3 called the attributes of attention "_query_dense" ...
        yield _Vars([f"{path}/{attribute}/vars", f"{path}/_{attribute}/vars"], name, trainable_first(variables))
    for where, part in inner:
        yield from _groups_of(part, f"{path}/{where}", visited, is_of_2_13, repeats)


def _object_of(layer: Layer, variable: Variable) -> str:
    """The attribute of Keras's layer whose variable it is; "" for the layer's own."""
    words = variable.path.split("/")
    return layer.keras_objects.get(words[-2], "") if len(words) > 1 else ""


def _own_arrays(groups: Mapping[str, h5py.Group], filename: str, wanted: _Vars) -> dict[str, Array]:
    """What a user's class has kept in a group."""
    group = groups.get(wanted.paths[0])
    if group is None:
        raise CheckpointError(f"{filename}: expected arrays of {wanted.name} in {wanted.paths[0]}, found none.")
    return {key: contents.array(group, key) for key in group}


def _arrays(groups: Mapping[str, h5py.Group], filename: str, wanted: _Vars) -> Iterator[tuple[Variable, Array]]:
    """The variables of a group with the arrays to fill them with."""
    if not wanted.variables:
        return
    group = next((groups[path] for path in wanted.paths if path in groups), None)
    held = 0 if group is None else len(group)
    if group is None or held != len(wanted.variables):
        raise CheckpointError(
            f"{filename}: expected {len(wanted.variables)} weights of {wanted.name} in {wanted.paths[0]}, found "
            f"{held}. Load it into a model of the same layers."
        )
    for number, variable in enumerate(wanted.variables):
        array = contents.array(group, str(number))
        if array.shape != variable.shape:
            raise CheckpointError(
                f"{filename}: {wanted.paths[0]}/{number}: expected the weights {variable.local_path} of shape "
                f"{variable.shape}, found {array.shape}."
            )
        yield variable, array
