"""An optimizer's state as Keras lists it: one table of facts for each generation of Keras.

A list has the count of steps, in Keras 3 the learning rate, and the slots. Names and order differ from
one generation to the next; the same table tells a writer what to list and a reader what it has found.

Source: ``build`` of the optimizers in Keras 3.15, in tf_keras 2.21 and in its ``optimizers.legacy``;
``optimizer_v1`` of tf_keras for Keras 2.2 and 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np

from distnet.errors import CheckpointError
from distnet.optimizers import Adagrad, Nadam, Optimizer, RMSprop
from distnet.types import Array, Json
from distnet.variables import Span, Variable, VariableStore

ITERATION, LEARNING_RATE, PRODUCT = "iteration", "learning_rate", "u_product"
_OF_EVERY_RULE = ("average", "gradient_accumulator")
"""The slots that an option adds to any rule; Keras lists them first."""

T = TypeVar("T")

_Names = Mapping[str, Mapping[str, str]]
"""For a class of optimizers, and under ``""`` for the others, Keras 3's name of a slot -> the name there."""


@dataclass(frozen=True)
class Entry:
    """One array of the list.

    Args:
        what: ``"iteration"``, ``"learning_rate"``, ``"u_product"``, or a slot by Keras 3's name.
        name: its path in a file of that generation.
        variable: whose slot it is; None for what the whole optimizer has.
        shape: of the array.
    """

    what: str
    name: str
    variable: Variable | None = None
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scheme:
    """How a generation of Keras lists and names an optimizer's state.

    Args:
        scalars: its names of what the whole optimizer has, by ours; what is missing it does not save.
        scalar_path, slot_path: how paths are made.
        slots: its names of slots.
        is_interleaved: whether a rule's slots are listed variable by variable, else slot by slot.
        exceptions: classes for which it is the other way round.
        always: slots that it lists even where the rule has none, and the shape; None for the variable's.
        counter_dtype: of the count of steps.
    """

    scalars: Mapping[str, str]
    scalar_path: str
    slot_path: str
    slots: _Names = field(default_factory=dict)
    is_interleaved: bool = True
    exceptions: tuple[str, ...] = ()
    always: Mapping[str, Mapping[str, tuple[int, ...] | None]] = field(default_factory=dict)
    counter_dtype: str = "int64"

    def entries(self, optimizer: Optimizer, store: VariableStore) -> list[Entry]:
        """The list for an optimizer of the variables in ``store``, which are in Keras's order."""
        known = {**optimizer.scalars, ITERATION: 0}
        scalars = [
            Entry(what, self.scalar_path.format(optimizer=optimizer.name, what=name))
            for what, name in self.scalars.items()
            if what in known
        ]
        slots = list(self._slot_entries(optimizer, [span.variable for span in store.trainable()]))
        if self is KERAS_3 and scalars[-1].what == PRODUCT:
            return [*scalars[:-1], *slots, scalars[-1]]
        return [*scalars, *slots]

    def slot_name(self, optimizer: Optimizer, what: str) -> str:
        """Its name of a slot."""
        return _of_class(optimizer, self.slots, {}).get(what, what)

    def _slot_entries(self, optimizer: Optimizer, variables: Sequence[Variable]) -> Iterator[Entry]:
        always = _of_class(optimizer, self.always, {})
        number = 0
        for together in self._rounds(optimizer, always):
            for variable in variables:
                for what in together:
                    shape = _shape_of(what, optimizer, variable, always)
                    if shape is None:
                        continue
                    path = self.slot_path.format(
                        optimizer=optimizer.name,
                        what=self.slot_name(optimizer, what),
                        path=variable.path,
                        flat=variable.path.replace("/", "_"),
                        number=f"_{number}" if number else "",
                    )
                    yield Entry(what, path, variable, shape)
                    number += 1

    def _rounds(self, optimizer: Optimizer, always: Mapping[str, tuple[int, ...] | None]) -> list[list[str]]:
        """The slots in rounds: each goes once over the variables, and lists its slots of a variable together."""
        slots = dict.fromkeys((*optimizer.all_slots(), *always))
        is_interleaved = self.is_interleaved != any(_is(optimizer, name) for name in self.exceptions)
        rule = [what for what in slots if what not in _OF_EVERY_RULE]
        apart = [what for what in rule if what == "velocity_hat" or not is_interleaved]
        together = [what for what in rule if what not in apart]
        first = [[what] for what in _OF_EVERY_RULE if what in slots]
        return [*first, *([together] if together else ()), *([what] for what in apart)]


KERAS_3 = Scheme(
    {ITERATION: "iteration", LEARNING_RATE: "learning_rate", PRODUCT: "variable"},
    "{optimizer}/{what}",
    "{optimizer}/{flat}_{what}",
    exceptions=("RMSprop",),
    counter_dtype="int32",
)
"""Keras 3; also the order of ``optimizer/vars`` in its ``.weights.h5`` and ``.keras`` files."""

TF_KERAS = Scheme(
    {ITERATION: "iteration"},
    "{what}:0",
    "{optimizer}/{what}/{path}:0",
    {
        "": {"momentum": "m", "velocity": "v", "velocity_hat": "vhat", "norm": "u"},
        "RMSprop": {},
        "Adafactor": {"row": "r", "column": "c", "velocity": "v"},
    },
    exceptions=("RMSprop",),
    always={"SGD": {"momentum": None}},
)
"""tf.keras from 2.11 on, and tf_keras."""

LEGACY = Scheme(
    {ITERATION: "iter", PRODUCT: "momentum_cache"},
    "{optimizer}/{what}:0",
    "{optimizer}/{path}/{what}:0",
    {
        "": {"momentum": "m", "velocity": "v", "velocity_hat": "vhat", "norm": "v"},
        "SGD": {},
        "RMSprop": {"velocity": "rms", "average_gradient": "mg"},
        "Adadelta": {"accumulated_grad": "accum_grad", "accumulated_delta_var": "accum_var"},
    },
    is_interleaved=False,
    exceptions=("Ftrl",),
)
"""tf.keras up to 2.10, and ``optimizers.legacy`` after it."""

STANDALONE = Scheme(
    {ITERATION: "iterations", PRODUCT: "m_schedule"},
    "{optimizer}/{what}:0",
    "training/{optimizer}/Variable{number}:0",
    is_interleaved=False,
    always={"SGD": {"momentum": None}, "Adam": {"velocity_hat": (1,)}},
)
"""Keras 2 before tf.keras. Its slots have no names of their own, and Keras 2.2 saves some counts not at all."""

SCHEMES = (KERAS_3, TF_KERAS, LEGACY, STANDALONE)


def for_keras_2(optimizer: Optimizer) -> tuple[Scheme, dict[str, Json]]:
    """How Keras 2 is told of an optimizer that it is to continue: the scheme of its state, and its configuration.

    Without ``is_legacy_optimizer`` tf.keras makes the class that it had up to 2.10, and Keras 3 reads the
    configuration too. Where that class computes otherwise or lacks an option, it has to make the one after.

    Source: ``keras.optimizers.deserialize`` of tf_keras 2.21.
    """
    spec = cast(dict[str, Any], optimizer.as_json())
    config = spec["config"]
    newer = config.keys() & {"weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency"}
    if _is_computed_by_legacy(optimizer) and not newer:
        decay = {"decay": optimizer.schedule_decay} if isinstance(optimizer, Nadam) else {}
        return LEGACY, {**spec, "config": {**config, **decay}}
    return TF_KERAS, {**spec, "config": {**config, "is_legacy_optimizer": False}}


def _is_computed_by_legacy(optimizer: Optimizer) -> bool:
    """Whether the class of this name in tf.keras up to 2.10 makes the same steps."""
    if isinstance(optimizer, RMSprop):
        return optimizer.epsilon_outside != bool(optimizer.momentum)
    if isinstance(optimizer, Adagrad):
        return optimizer.epsilon_outside
    if isinstance(optimizer, Nadam):
        return optimizer.schedule_decay != 1
    return type(optimizer).__name__ in ("SGD", "Adam", "Adadelta", "Adamax", "Ftrl")


def arrays(scheme: Scheme, optimizer: Optimizer, store: VariableStore) -> list[tuple[Entry, Array]]:
    """What a file of that generation lists, with the values that it has now."""
    if not optimizer.built:
        optimizer.build(store)
    spans = {id(span.variable): span for span in store.trainable()}
    found: list[tuple[Entry, Array]] = []
    for entry in scheme.entries(optimizer, store):
        if entry.variable is None:
            dtype = scheme.counter_dtype if entry.what == ITERATION else store.dtype
            found.append((entry, np.asarray(optimizer.scalars[entry.what], dtype)))
        elif entry.what not in optimizer.slots:
            found.append((entry, np.zeros(entry.shape, store.dtype)))
        else:
            start = spans[id(entry.variable)].start
            stop = start + math.prod(entry.shape)
            found.append((entry, optimizer.slots[entry.what][start:stop].reshape(entry.shape)))
    return found


def fill(
    optimizer: Optimizer,
    store: VariableStore,
    values: Sequence[Array],
    names: Sequence[str] | None = None,
    scheme: Scheme | None = None,
) -> None:
    """Give an optimizer the state that Keras listed.

    Args:
        values: the arrays, in Keras's order.
        names: their paths, which tell the generation and the slots; without them the order does.
        scheme: whose order it is, where there are no names; None for that of Keras 3 or tf_keras, whichever fits.

    Raises:
        CheckpointError: it is the state of another optimizer or of other variables; nothing is changed then.
    """
    scheme = scheme_of(names) if names is not None else scheme or _fitting_scheme(optimizer, store, values)
    state = _sorted(optimizer, store, values, names, scheme)
    if not optimizer.built:
        optimizer.build(store)
    spans = {what: _spans_with(optimizer, what, store) for what in optimizer.slots}
    steps = int(state[ITERATION][0]) if ITERATION in state else 0
    if not (steps == 0 and all(what not in state for what in optimizer.slots)):
        for what in optimizer.slots:
            _check(optimizer, what, [span.variable for span in spans[what]], state.get(what, []))
    for what, slot in optimizer.slots.items():
        for span, value in zip(spans[what], state.get(what, ()), strict=False):
            slot[span.start : span.start + value.size] = value.reshape(-1)
    optimizer.scalars[ITERATION] = steps
    if LEARNING_RATE in state and optimizer.schedule is None:
        optimizer.scalars[LEARNING_RATE] = float(state[LEARNING_RATE][0])
    if isinstance(optimizer, Nadam):
        saved = state.get(PRODUCT)
        # tf_keras does not save the product, into which its graph takes mu once for every variable.
        power = len(list(store.trainable())) if scheme is TF_KERAS else 1
        optimizer.scalars[PRODUCT] = float(saved[0]) if saved else optimizer.momentum_product(steps) ** power


def scheme_of(names: Sequence[str]) -> Scheme:
    """The generation of Keras that lists these paths."""
    if not names:
        return KERAS_3
    first = _tail(names[0])
    if first == "iteration":
        return TF_KERAS if names[0].endswith(":0") else KERAS_3
    return LEGACY if first == "iter" else STANDALONE


def _fitting_scheme(optimizer: Optimizer, store: VariableStore, values: Sequence[Array]) -> Scheme:
    """Who listed these arrays without names: tf_keras if they are what it would list, else Keras 3."""
    expected = [entry.shape for entry in TF_KERAS.entries(optimizer, store)]
    return TF_KERAS if [np.shape(value) for value in values] == expected else KERAS_3


def _sorted(
    optimizer: Optimizer, store: VariableStore, values: Sequence[Array], names: Sequence[str] | None, scheme: Scheme
) -> dict[str, list[Array]]:
    """The arrays by what they are, those of a slot in the order of the variables."""
    if names is None or scheme is STANDALONE:
        whats = _by_position(scheme.entries(optimizer, store), optimizer, values)
    else:
        whats = [_by_name(scheme, optimizer, name) for name in names]
    found: dict[str, list[Array]] = {}
    for what, value in zip(whats, values, strict=True):
        found.setdefault(what, []).append(np.asarray(value))
    return found


def _by_position(entries: Sequence[Entry], optimizer: Optimizer, values: Sequence[Array]) -> list[str]:
    """What each array is, by its place.

    A list without slots is that of an optimizer that has made no step. Keras 2.2 leaves out the count of
    some optimizers, and Nadam's product; Keras up to 2.1.2 also what the rule does not need.
    """
    scalars = [entry.what for entry in entries if entry.variable is None]
    slots = [entry.what for entry in entries if entry.variable is not None]
    own = [what for what in slots if what in optimizer.all_slots()]
    leading = next((i for i, value in enumerate(values) if np.shape(value)), len(values))
    begin = scalars[:leading]
    for whats in ([entry.what for entry in entries], [*begin, *slots], [*begin, *own], begin):
        if len(values) == len(whats):
            return whats
    raise CheckpointError(
        f"{optimizer.name}: expected a state of {len(entries)} arrays, found {len(values)}. "
        "It is another optimizer's, or of a model with other weights."
    )


def _by_name(scheme: Scheme, optimizer: Optimizer, path: str) -> str:
    """What an array is, by its path; the path itself where that does not tell."""
    tail = _tail(path)
    scalars = {name: what for what, name in scheme.scalars.items()}
    if tail in scalars and not (scheme is TF_KERAS and "/" in path):
        return scalars[tail]
    names = {scheme.slot_name(optimizer, what): what for what in _listed(optimizer, scheme)}
    if scheme is KERAS_3:
        if tail.startswith(f"{scheme.scalars[PRODUCT]}_") and tail.rpartition("_")[2].isdigit():
            return PRODUCT
        ends = [name for name in names if tail.endswith(f"_{name}")]
        return names[max(ends, key=len)] if ends else path
    parts = path.split("/")
    where = parts[1] if scheme is TF_KERAS and len(parts) > 1 else tail
    return names.get(where, path)


def _check(optimizer: Optimizer, what: str, variables: Sequence[Variable], values: Sequence[Array]) -> None:
    if len(values) != len(variables):
        raise CheckpointError(
            f"{optimizer.name}: expected {what} for {len(variables)} trained weights, found it for {len(values)}."
        )
    for variable, value in zip(variables, values, strict=True):
        shape = optimizer.slot_shape(what, variable)
        if shape != value.shape:
            raise CheckpointError(
                f"{optimizer.name}: expected {what} of {variable.path} to be of shape {shape}, found {value.shape}."
            )


def _spans_with(optimizer: Optimizer, what: str, store: VariableStore) -> list[Span]:
    """The trained variables that have the slot."""
    return [span for span in store.trainable() if optimizer.slot_shape(what, span.variable) is not None]


def _shape_of(
    what: str, optimizer: Optimizer, variable: Variable, always: Mapping[str, tuple[int, ...] | None]
) -> tuple[int, ...] | None:
    """The shape of a variable's slot in a list; None where it is not listed."""
    if what in optimizer.all_slots():
        return optimizer.slot_shape(what, variable)
    return always[what] or variable.shape


def _listed(optimizer: Optimizer, scheme: Scheme) -> list[str]:
    return list(dict.fromkeys((*optimizer.all_slots(), *_of_class(optimizer, scheme.always, {}))))


def _tail(path: str) -> str:
    return path.rpartition("/")[2].partition(":")[0]


def _is(optimizer: Optimizer, name: str) -> bool:
    return any(cls.__name__ == name for cls in type(optimizer).__mro__)


def _of_class(optimizer: Optimizer, table: Mapping[str, T], default: T) -> T:
    """What a table says of an optimizer's class, or of one that it is derived from."""
    for cls in type(optimizer).__mro__:
        if cls.__name__ in table:
            return table[cls.__name__]
    return table.get("", default)
