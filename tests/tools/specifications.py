"""A hypothesis strategy that draws specifications of models with their training: see ``building``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

import distnet
from building import Building
from distnet.errors import DistnetError
from layer_choices import LAYERS, SYMBOLS, Draw, LayerChoice
from option_values import REGULARIZERS
from training_choices import (
    CALLBACKS,
    CALLBACKS_OF_SCHEDULES,
    FILES,
    HEADS,
    LOSSES,
    METRICS,
    OF_EVERY_OPTIMIZER,
    OPTIMIZERS,
    RATES,
    SIZES,
)

Options = dict[str, Any]
ROWS: dict[str, list[list[int]]] = {
    "real": [[3], [4, 3], [5, 4, 2], [2], [3, 2], [4, 4, 3], [3, 2, 3, 2]],
    "padded": [[4, 3], [3, 2]],
    "indices": [[4], [3]],
}
MOST_ENTRIES = 300
"""Of a tensor's row: what grows beyond is called on no more."""
MERGES = [name for name, choice in LAYERS.items() if choice.inputs[0] > 1]


class Sketch:
    """A model as it is drawn: the specification so far, and the shapes of its tensors."""

    def __init__(self, draw: Draw, inputs: list[Options], depth: int) -> None:
        self.draw, self.depth = draw, depth
        self.inputs, self.calls = inputs, list[Options]()
        self.building = Building(distnet, inputs)
        self.unread = list(range(len(inputs)))
        self.is_refused = False
        self.is_random = False

    def chance(self, out_of: int) -> bool:
        """True once in so many draws, and False in the simplest specification."""
        return bool(self.draw(st.integers(1, out_of)) == out_of)

    def pick(self, values: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(values)))

    def row(self, number: int) -> list[int]:
        return list(self.building.tensors[number].shape[1:])

    def tensors_of(self, ranks: Sequence[int]) -> list[int]:
        """The tensors that a layer can be called on, the latest first."""
        usable = [n for n in range(len(self.building.tensors)) if self._is_usable(n) and len(self.row(n)) in ranks]
        return [*reversed(usable)]

    def _is_usable(self, number: int) -> bool:
        entries = 1
        for extent in self.row(number):
            entries *= extent
        is_input = number < len(self.inputs)
        return entries <= MOST_ENTRIES and not (is_input and self.inputs[number]["values"] in ("indices", "mask"))

    def add(self, call: Options) -> None:
        """Make a call; one that distnet refuses is the last."""
        before = len(self.building.tensors)
        self.calls.append(call)
        try:
            self.building.add(call)
        except DistnetError:
            self.is_refused = True
            self.unread = [*self.unread, before]
            return
        made = len(self.building.tensors) - before
        if made > 1:
            call["makes"] = made
        read = [*call["on"], *call.get("tensors", {}).values()]
        self.unread = [n for n in self.unread if n not in read] + list(range(before, len(self.building.tensors)))

    def some(self, optional: Mapping[str, Sequence[Any]]) -> Options:
        """A few of the options that a layer may have."""
        chosen = {}
        keys = [key for key, values in optional.items() if values]
        if keys:
            for _ in range(self.pick([0, 1, 0, 2, 1, 3])):
                key = self.pick(keys)
                chosen[key] = self.pick(optional[key])
        return chosen

    def options(self, choice: LayerChoice, row: Sequence[int]) -> Options:
        needed = {key: self.pick(values) for key, values in choice.needed(row).items()}
        return {**needed, **self.some(choice.optional_for(row))}

    def grow(self) -> None:
        """Add one call of any kind."""
        numbers = self.tensors_of((1, 2, 3, 4))
        if not numbers:
            return
        on = self.pick(numbers[:3])
        rank = len(self.row(on))
        if self.chance(8) and self._called_again(on):
            return
        if self.depth < 1 and self.chance(12):
            self._add_model(on)
            return
        names = [name for name, choice in LAYERS.items() if rank in choice.ranks and choice.inputs[0] == 1]
        if self.chance(5):
            self._merge(on)
            return
        name = self.pick(names)
        self.add(self._call(name, on))

    def _call(self, name: str, on: int) -> Options:
        choice = LAYERS[name]
        call = {"layer": name, "options": self.options(choice, self.row(on)), "on": [on]}
        rates = [call["options"].get(key, 1.0) for key in ("rate", "stddev") if choice.is_random]
        self.is_random = self.is_random or any(rates) or name.startswith("Random")
        if name in ("LSTM", "GRU", "SimpleRNN") and self.chance(5):
            call["options"]["return_state"] = True
        if (
            name in ("LSTM", "GRU", "SimpleRNN", "Masking", "Dense", "GlobalAveragePooling1D")
            and len(self.row(on)) == 2
        ):
            self._mask_by_hand(call, on)
        return call

    def _mask_by_hand(self, call: Options, on: int) -> None:
        masks = [
            n for n, given in enumerate(self.inputs) if given["values"] == "mask" and given["row"] == self.row(on)[:1]
        ]
        if masks and self.chance(2):
            call["tensors"] = {"mask": masks[0]}

    def _called_again(self, on: int) -> bool:
        """Call an earlier layer once more, on a tensor of the same shape."""
        for number, call in enumerate(self.calls):
            single = len(call["on"]) == 1 and "again" not in call and "options" in call and "tensors" not in call
            if single and call["layer"] in LAYERS and self.row(call["on"][0]) == self.row(on) and call["on"] != [on]:
                self.add({"layer": call["layer"], "again": number, "on": [on]})
                return True
        return False

    def _add_model(self, on: int) -> None:
        inner = Sketch(self.draw, [{"row": self.row(on), "values": "real"}], self.depth + 1)
        for _ in range(self.pick([1, 2, 3])):
            if not inner.is_refused:
                inner.grow()
        if inner.calls:
            self.is_random = self.is_random or inner.is_random
            self.add({"layer": "Model", "model": inner.specification(1), "on": [on]})

    def _merge(self, on: int) -> None:
        row = self.row(on)
        alike = [n for n in self.tensors_of((len(row),)) if self.row(n) == row]
        names = [name for name in MERGES if len(row) in LAYERS[name].ranks]
        if self.chance(6):
            self.add({"layer": self.pick("+-*"), "number": self.pick([2.0, 0.5]), "on": [on]})
            return
        name = self.pick(names)
        choice = LAYERS[name]
        several = self.pick(range(choice.inputs[0], choice.inputs[1] + 1))
        others = [self.pick([n for n in alike if n != on] or alike) for _ in range(several - 1)]
        call: Options = {"layer": name, "on": [on, *others]}
        if name not in ("+", "-", "*"):
            call["options"] = self.options(choice, row)
        if name in ("Attention", "MultiHeadAttention") and self.chance(4):
            call["arguments"] = {"use_causal_mask": True}
        self.add(call)

    def specification(self, outputs: int) -> Options:
        """The model so far, with its last tensors that nothing reads as outputs."""
        unread = [n for n in self.unread if n >= len(self.inputs)]
        spec: Options = {"inputs": self._read_inputs(), "calls": self.calls, "outputs": unread[-outputs:]}
        return spec

    def _read_inputs(self) -> list[Options]:
        return self.inputs


@st.composite
def specifications(draw: Any, is_on_ranks: bool = False) -> Options:
    """A model, its data and its training."""
    sketch = Sketch(draw, _inputs(draw), 0)
    _embed(sketch)
    for _ in range(draw(st.integers(1, 6))):
        if not sketch.is_refused:
            sketch.grow()
    targets = [] if sketch.is_refused else _heads(sketch)
    spec = sketch.specification(len(targets) or 1)
    if not sketch.is_refused and _is_chain(spec) and draw(st.booleans()):
        spec["kind"] = "Sequential"
    spec["is_random"] = sketch.is_random
    spec["is_refused"] = sketch.is_refused
    spec["data"] = draw(st.integers(0, 99))
    if targets:
        spec["training"] = _training(sketch, targets, is_on_ranks)
    return spec


def _inputs(draw: Any) -> list[Options]:
    inputs = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 2, 3]))):
        values = draw(st.sampled_from(["real", "padded", "indices", "real"]))
        inputs.append({"row": draw(st.sampled_from(ROWS[values])), "values": values})
    sequences = [given["row"][:1] for given in inputs if given["values"] in ("padded", "indices")]
    if sequences and draw(st.integers(1, 6)) == 6:
        inputs.append({"row": sequences[0], "values": "mask"})
    return inputs


def _embed(sketch: Sketch) -> None:
    """Begin with what reads the inputs: an Embedding of integers, a Masking of padded steps."""
    for number, given in enumerate(sketch.inputs):
        if given["values"] == "indices":
            options = {"input_dim": SYMBOLS, "output_dim": sketch.pick([3, 2]), "mask_zero": not sketch.chance(4)}
            if sketch.chance(6):
                options["embeddings_regularizer"] = sketch.pick(REGULARIZERS)
            sketch.add({"layer": "Embedding", "options": options, "on": [number]})
        elif given["values"] == "padded" and not sketch.chance(4):
            sketch.add({"layer": "Masking", "options": {}, "on": [number]})


def _heads(sketch: Sketch) -> list[Options]:
    """One or two outputs, with layers that give their targets' kinds of values."""
    several = [n for n in sketch.unread if n >= len(sketch.inputs) and sketch._is_usable(n)]
    targets = []
    for number in several[-sketch.pick([1, 1, 2]) :]:
        kind = sketch.pick(list(HEADS))
        if kind != "real" or not sketch.chance(3):
            options = {
                "units": sketch.pick([3, 1] if kind.startswith("bit") else [3]),
                "activation": sketch.pick(HEADS[kind]),
            }
            sketch.add({"layer": "Dense", "options": options, "on": [number]})
        else:  # the last to be read stays the last
            sketch.unread = [*(n for n in sketch.unread if n != number), number]
        targets.append({"kind": kind, "loss": sketch.pick(LOSSES[kind]), "metrics": _metrics(sketch, kind)})
    return targets


def _metrics(sketch: Sketch, kind: str) -> Options:
    """A few metrics, each object with a name: Keras numbers those without by how many a process has made."""
    drawn: Options = {}
    for key, several in (("metrics", [0, 1, 2]), ("weighted_metrics", [0, 0, 1])):
        drawn[key] = [_named(sketch.pick(METRICS[kind]), f"{key}_{i}") for i in range(sketch.pick(several))]
    return drawn


def _named(metric: Any, name: str) -> Any:
    return metric if isinstance(metric, str) else {**metric, "with": {"name": name, **metric["with"]}}


def _is_chain(spec: Options) -> bool:
    calls = spec["calls"]
    plain = all("options" in call and call["on"] == [i] and "tensors" not in call for i, call in enumerate(calls))
    no_states = not any(call["options"].get("return_state") for call in calls) if plain else False
    both = plain and any(call["options"].get("merge_mode", 0) is None for call in calls)
    return plain and no_states and not both and len(spec["inputs"]) == 1 and spec["outputs"] == [len(calls)]


def _is_vector(sketch: Sketch) -> bool:
    return len(sketch.row(sketch.unread[-1])) == 1


def _training(sketch: Sketch, targets: list[Options], is_on_ranks: bool) -> Options:
    rows, batch_size, epochs = sketch.pick(SIZES)
    name = sketch.pick(list(OPTIMIZERS))
    optimizer = {"learning_rate": sketch.pick(RATES), **sketch.some(OPTIMIZERS[name])}
    if sketch.chance(3):
        optimizer |= sketch.some(OF_EVERY_OPTIMIZER[sketch.pick([0, 1, 2])])
    training: Options = {
        "rows": rows,
        "batch_size": batch_size,
        "epochs": epochs if is_on_ranks or not sketch.is_random else 0,
        "targets": targets,
        "optimizer": {"make": f"optimizers.{name}", "with": optimizer},
    }
    ranks = {len(sketch.row(n)) for n in sketch.unread[-len(targets) :]}
    if sketch.chance(3):
        training["sample_weight"] = sketch.pick(["steps", "rows"] if ranks == {2} else ["rows"])
    elif (
        len(targets) == 1
        and targets[0]["kind"] in ("bits", "classes", "labels")
        and _is_vector(sketch)
        and sketch.chance(2)
    ):
        training["class_weight"] = True
    if len(targets) > 1 and sketch.chance(2):
        training["loss_weights"] = [0.5, 2.0][: len(targets)]
    if sketch.chance(3):
        training["is_evaluated"] = True
    if sketch.chance(5):
        training["validation"] = True
    if sketch.chance(4):
        is_fixed = isinstance(optimizer["learning_rate"], float)
        training["callbacks"] = [sketch.pick(CALLBACKS if is_fixed else CALLBACKS_OF_SCHEDULES)]
    if sketch.chance(10):
        training["file"] = sketch.pick(FILES)
    if is_on_ranks and sketch.chance(3):
        training["is_unseeded"] = True
        training["epochs"] = epochs * (not sketch.is_random)
    return training
