"""Steps that give the same bits on any number of ranks: by fixed blocks of rows, with sums along one tree.

``DataParallel(reproducible_shards=V)`` makes V blocks of the global batch, each computed by itself, as if by a rank of
its own. A rank runs its blocks in turn; where code sums over the batch, it runs the others to the same place
(``distnet.comm.lockstep``). So products have the same shapes, and sums the same order, whichever rank holds a block.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from distnet.assignments import refusing, settings
from distnet.comm import Communicator
from distnet.comm.block_ranks import HeldBlocks
from distnet.comm.fixed_blocks import blocks_of, even_part, fixed_blocks
from distnet.comm.scope import among
from distnet.comm.sum_tree import SumTree
from distnet.comm.threads import OF_THIS_PROCESS
from distnet.data.batch import Batch, Places
from distnet.distribution import is_elastic
from distnet.errors import ArgumentError
from distnet.metrics import Metric
from distnet.optimizers import Optimizer
from distnet.parallel.exchange import Control, Exchange
from distnet.parallel.slices import exchange_of_blocks
from distnet.training.block_state import BlockObjectives, BlockState
from distnet.training.forward_steps import Steps
from distnet.training.objective import Objective
from distnet.training.run_model import RunModel
from distnet.training.step import GradientSteps, TrainingSteps
from distnet.types import Array
from distnet.variables import Variable, VariableStore

T = TypeVar("T")

_MOST_OBJECTIVES = 2
"""Besides the newest one: training and validation may have one each."""


class Blocks:
    """The fixed blocks of rows that this rank computes.

    Args:
        ranks: who share the blocks.
        count: how many blocks there are in all.
        states: what each of this rank's has for itself.
    """

    def __init__(self, ranks: Communicator, count: int, states: Sequence[BlockState]) -> None:
        self.tree, self.states = SumTree(count), states
        self.held = HeldBlocks(ranks, self.tree, states)
        self._objectives: list[BlockObjectives] = []

    def of(self, batch: Batch) -> list[Batch]:
        """The batch of each block, from this rank's rows of the global batch."""
        return [self._part(batch, number) for number in self.held.numbers]

    def _part(self, batch: Batch, number: int) -> Batch:
        rows = even_part(batch.global_rows, number, self.tree.leaves)
        own = slice(rows.start - batch.first_row, rows.stop - batch.first_row)
        return Batch(
            x=tuple([a[own] for a in batch.x]),
            y=tuple([a[own] for a in batch.y]),
            weight=tuple([None if w is None else w[own] for w in batch.weight]),
            first_row=rows.start,
            global_rows=batch.global_rows,
            places=None if batch.places is None else batch.places[own],
        )

    def run(self, calls: Sequence[Callable[[], T]], kept: Sequence[Metric] = ()) -> list[T]:
        """What the calls return, one for each block.

        Args:
            calls: run in turn; what they ask of other ranks is asked of other blocks.
            kept: metrics that layers have.
        """
        for state in self.states:
            state.begin(kept)
        members = zip(self.held.members, calls, strict=True)
        with OF_THIS_PROCESS.one(), refusing(_refuse_trained):
            return self.held.lockstep.run([partial(_among, member, call) for member, call in members])

    def measuring(self, objective: Objective) -> BlockObjectives:
        """What this rank's blocks measure by, made once for an objective; goes on from the sums of all."""
        made = next((each for each in self._objectives if each.of is objective), None)
        if made is None:
            made = BlockObjectives(objective, len(self.states))
            self._objectives = [made, *self._objectives[:_MOST_OBJECTIVES]]
        made.begin()
        return made


def _refuse_trained(variable: Variable) -> None:
    """Refuse what each block would do anew to weights that all blocks of a rank share.

    Raises:
        ArgumentError: the variable is trained.
    """
    if variable.trainable:
        raise ArgumentError(
            f"reproducible_shards: {variable.path} is trained, and was assigned while the batch was computed, once for "
            "each block of rows: how often depends on the number of ranks. Assign it in a callback or a constraint, or "
            "make it a variable with trainable=False, of which each block has its own."
        )


def _among(member: Communicator, call: Callable[[], T]) -> T:
    with among(member):
        return call()


class _ByBlocks(Steps):
    """Steps that evaluate and predict by blocks, each of which has ``Steps`` of its own."""

    blocks: Blocks
    parts: Sequence[Steps]

    def forward(
        self, x: Sequence[Array], first_row: int = 0, places: Places = None, global_rows: int | None = None
    ) -> list[Array]:
        """Outputs in inference mode; of rows that are no part of a global batch, as of a batch by themselves."""
        if global_rows is None:
            with OF_THIS_PROCESS.one():
                return super().forward(x, first_row, places)
        batches = self.blocks.of(Batch(tuple(x), (), (), first_row, global_rows, places))
        outputs = self.blocks.run(
            [
                partial(part.forward, own.x, own.first_row, own.places, global_rows)
                for part, own in zip(self.parts, batches, strict=True)
            ]
        )
        return [np.concatenate(made) for made in zip(*outputs, strict=True)]

    @property
    def nbytes(self) -> int:
        """Of the memory that all blocks use again."""
        return sum(part.workspaces.nbytes for part in self.parts)

    def test(self, batch: Batch, objective: Objective) -> tuple[float, Array]:
        """The loss and the sums of the global batch on rank 0; elsewhere nothing, to be added to these."""
        measuring = self.blocks.measuring(objective)
        tested = self.blocks.run(
            [
                partial(part.test, own, measured)
                for part, own, measured in zip(self.parts, self.blocks.of(batch), measuring.own, strict=True)
            ],
            objective.kept,
        )
        measuring.end()
        self.settings_met = settings()
        total = self.blocks.held.summed([np.concatenate(([loss], sums)) for loss, sums in tested])
        if self.communicator.rank:
            total = np.zeros_like(total)
        return float(total[0]), total[1:]


class BlockSteps(_ByBlocks):
    """Evaluates and predicts by blocks.

    Args:
        model: built.
        communicator: the ranks that take part.
        count: of all blocks.
    """

    def __init__(self, model: RunModel, communicator: Communicator, count: int) -> None:
        super().__init__(model, communicator)
        places = range(len(blocks_of(communicator.rank, communicator.size, count)))
        states = [BlockState(model.variables, place == 0) for place in places]
        self.blocks = Blocks(communicator, count, states)
        self.parts = [Steps(model, member) for member in self.blocks.held.members]


class BlockTrainingSteps(_ByBlocks, TrainingSteps):
    """Trains by blocks.

    Args:
        model: built and compiled.
        objective: what to minimize and measure.
        communicator: the ranks that take part.
        count: of all blocks.
    """

    parts: Sequence[GradientSteps]

    def __init__(self, model: RunModel, objective: Objective, communicator: Communicator, count: int) -> None:
        self.count = count
        super().__init__(model, objective, communicator)

    def _exchange(self) -> Exchange:
        self.messages: list[Array] = []
        held = blocks_of(self.communicator.rank, self.communicator.size, self.count)
        finish = partial(_finish_blocks, self.store, self.optimizer, held, self.count, self.messages)
        exchange, messages = exchange_of_blocks(
            self.communicator, self.store, self.optimizer, self.objective.entries, finish, SumTree(self.count),
            is_elastic(),
        )  # fmt: skip
        states = [
            BlockState(self.store.variables, place == 0, message, self.store.spans)
            for place, message in enumerate(messages)
        ]
        self.messages += messages
        self.blocks = Blocks(self.communicator, self.count, states)
        return exchange

    def _parts(self) -> Sequence[GradientSteps]:
        self.measuring = BlockObjectives(self.objective, len(self.messages))
        parts = []
        for member, objective, message in zip(self.blocks.held.members, self.measuring.own, self.messages, strict=True):
            part = GradientSteps(self.model, objective, member)
            part.prepare(message)
            parts.append(part)
        return parts

    def _write_message(self, batch: Batch, control: Control) -> None:
        self.measuring.begin()
        batches = zip(self.parts, self.blocks.of(batch), strict=True)
        of_block = Control(control.stop, control.leave)  # the rest is of ranks, which hold unequal numbers of blocks
        self.blocks.run([partial(part.gradients, own, of_block) for part, own in batches], self.objective.kept)
        self.measuring.end()


def _finish_blocks(
    store: VariableStore,
    optimizer: Optimizer,
    held: range,
    count: int,
    messages: Sequence[Array],
    numbers: range,
    part: slice,
) -> None:
    """Add the penalties' gradients, that of each weight in one block's message, and multiply by the loss scale.

    Args:
        store, optimizer: of the steps.
        held: the numbers of this rank's blocks.
        count: of all blocks.
        messages: of this rank's blocks.
        numbers, part: of spans; see ``Finish``.
    """
    for i in numbers:
        variable, span = store.spans[i].variable, store.spans[i]
        if variable.regularizer is not None and i % count in held:
            gradient = messages[i % count - held.start][span.start : span.stop].reshape(variable.shape)
            gradient += variable.regularizer.gradient(variable.value)
    factor = optimizer.loss_scale
    if factor is not None:
        for message in messages:
            scaled = message[: store.size][part]
            with np.errstate(over="ignore", invalid="ignore"):
                scaled *= store.dtype.type(factor)


def evaluating_steps(model: RunModel, communicator: Communicator) -> Steps:
    """What evaluates and predicts: by ranks, or by fixed blocks of rows."""
    count = fixed_blocks()
    return Steps(model, communicator) if count is None else BlockSteps(model, communicator, count)


def training_steps(model: RunModel, objective: Objective, communicator: Communicator) -> TrainingSteps:
    """What trains: by ranks, or by fixed blocks of rows."""
    count = fixed_blocks()
    if count is None:
        return TrainingSteps(model, objective, communicator)
    return BlockTrainingSteps(model, objective, communicator, count)
