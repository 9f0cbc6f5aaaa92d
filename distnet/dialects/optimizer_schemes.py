"""How each generation of Keras lists and names an optimizer's state: one table of facts for each.

A list has the count of steps, in Keras 3 the learning rate, and the slots. Names and order differ from
one generation to the next; the same table tells a writer what to list and a reader what it has found.

Source: ``build`` of the optimizers in Keras 3.15, in tf_keras 2.21 and in its ``optimizers.legacy``;
``optimizer_v1`` of tf_keras for Keras 2.2 and 2.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from distnet.optimizers import Optimizer
from distnet.variables import Variable, Variables

ITERATION, LEARNING_RATE, PRODUCT = "iteration", "learning_rate", "u_product"
COUNTER, SCALE = "step_counter", "dynamic_scale"
_OF_EVERY_RULE = ("average", "gradient_accumulator")
"""The slots that an option adds to any rule; Keras lists them first."""

T = TypeVar("T")

_Names = Mapping[str, Mapping[str, str]]
"""For a class of optimizers, and under ``""`` for the others, Keras 3's name of a slot -> the name there."""


@dataclass(frozen=True)
class Entry:
    """One array of the list.

    Args:
        what: ``"iteration"`` or another number of the whole optimizer, or a slot by Keras 3's name.
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
        dtypes: of numbers that are not of the weights' dtype.
    """

    scalars: Mapping[str, str]
    scalar_path: str
    slot_path: str
    slots: _Names = field(default_factory=dict)
    is_interleaved: bool = True
    exceptions: tuple[str, ...] = ()
    always: Mapping[str, Mapping[str, tuple[int, ...] | None]] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=lambda: {ITERATION: "int64"})

    def entries(self, optimizer: Optimizer, store: Variables) -> list[Entry]:
        """The list for an optimizer of the variables in ``store``, which are in Keras's order.

        Optimizers within it have lists of their own.
        """
        known = {**optimizer.scalars, ITERATION: 0}
        if not store.spans:
            known.pop(PRODUCT, None)
        scalars = [
            Entry(what, self.scalar_path.format(optimizer=optimizer.name, what=name))
            for what, name in self.scalars.items()
            if what in known
        ]
        slots = list(self._slot_entries(optimizer, [span.variable for span in store.trainable()]))
        if self is KERAS_3 and scalars[-1].what == PRODUCT:
            return [*scalars[:-1], *slots, scalars[-1]]
        return [*scalars, *slots, *self._own_entries(optimizer, store)]

    def slot_name(self, optimizer: Optimizer, what: str) -> str:
        """Its name of a slot."""
        return of_class(optimizer, self.slots, {}).get(what, what)

    def _slot_entries(self, optimizer: Optimizer, variables: Sequence[Variable]) -> Iterator[Entry]:
        always = of_class(optimizer, self.always, {})
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
                        path=variable.local_path,
                        flat=variable.path.replace("/", "_"),
                        number=f"_{number}" if number else "",
                    )
                    yield Entry(what, path, variable, shape)
                    number += 1

    def _own_entries(self, optimizer: Optimizer, store: Variables) -> Iterator[Entry]:
        """The variables that a user's optimizer made, in that order."""
        listed = {id(span.variable) for span in store.trainable()}
        for own in optimizer.own_variables:
            if own.reference is None:
                yield Entry(own.what, self.scalar_path.format(optimizer=optimizer.name, what=own.what))
            elif id(own.reference) in listed:
                yield Entry(own.what, own.variable.path, own.reference, own.reference.shape)

    def _rounds(self, optimizer: Optimizer, always: Mapping[str, tuple[int, ...] | None]) -> list[list[str]]:
        """The slots in rounds: each goes once over the variables, and lists its slots of a variable together."""
        slots = dict.fromkeys((*optimizer.all_slots(), *always))
        is_interleaved = self.is_interleaved != any(_is(optimizer, name) for name in self.exceptions)
        rule = [what for what in slots if what not in (*_OF_EVERY_RULE, *optimizer.own_slots())]
        apart = [what for what in rule if what == "velocity_hat" or not is_interleaved]
        together = [what for what in rule if what not in apart]
        first = [[what] for what in _OF_EVERY_RULE if what in slots]
        return [*first, *([together] if together else ()), *([what] for what in apart)]


KERAS_3 = Scheme(
    {ITERATION: "iteration", LEARNING_RATE: "learning_rate", COUNTER: COUNTER, SCALE: SCALE, PRODUCT: "variable"},
    "{optimizer}/{what}",
    "{optimizer}/{flat}_{what}",
    exceptions=("RMSprop",),
    always={"Adafactor": {"row": (), "column": ()}},
    dtypes={ITERATION: "int32", COUNTER: "int32", SCALE: "float32"},
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


def scheme_of(names: Sequence[str]) -> Scheme:
    """The generation of Keras that lists these paths."""
    if not names:
        return KERAS_3
    first = tail_of(names[0])
    if first == "iteration":
        return TF_KERAS if names[0].endswith(":0") else KERAS_3
    return LEGACY if first == "iter" else STANDALONE


def _shape_of(
    what: str, optimizer: Optimizer, variable: Variable, always: Mapping[str, tuple[int, ...] | None]
) -> tuple[int, ...] | None:
    """The shape of a variable's slot in a list; None where it is not listed."""
    shape = optimizer.slot_shape(what, variable) if what in optimizer.all_slots() else None
    if shape is None and what in always:
        return variable.shape if always[what] is None else always[what]
    return shape


def tail_of(path: str) -> str:
    """The last word of a path, without the tensor's number."""
    return path.rpartition("/")[2].partition(":")[0]


def _is(optimizer: Optimizer, name: str) -> bool:
    return any(cls.__name__ == name for cls in type(optimizer).__mro__)


def of_class(optimizer: Optimizer, table: Mapping[str, T], default: T) -> T:
    """What a table says of an optimizer's class, or of one that it is derived from."""
    for cls in type(optimizer).__mro__:
        if cls.__name__ in table:
            return table[cls.__name__]
    return table.get("", default)
