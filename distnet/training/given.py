"""What a caller passed as data -> a source of global batches that fit the model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from distnet.comm import Communicator
from distnet.data.arrays import ArrayData
from distnet.data.dataset_source import DatasetSource
from distnet.data.generator_source import GeneratorSource
from distnet.data.reading_ahead import ReadingAhead
from distnet.data.sources import ArraySource, SequenceSource, Source, says_its_batches
from distnet.errors import ArgumentError, DataError
from distnet.parallel import replicas
from distnet.pipelines.stage import HasPipeline
from distnet.training.inputs import FedModel, array_data, labelled_data, rows_of_a_batch


def check_end(source: Source, steps: int | None, what: str) -> None:
    """Fail unless an epoch ends: by itself, or by its number of steps.

    Args:
        steps: given, or None.
        what: the argument's name.

    Raises:
        ArgumentError: it does not.
    """
    is_endless = isinstance(source, SequenceSource) and source.batches is None
    if steps is None and (is_endless or (isinstance(source, DatasetSource) and source.is_endless)):
        raise ArgumentError(f"{what}: expected the number of batches of an epoch, for the dataset has no end.")


def compare_kinds(ranks: Communicator, call: str, **given: Any) -> None:
    """Fail unless every rank is given the same kind of data, before a message that only one kind needs.

    Args:
        ranks: who are in the call.
        call: its name.
        given: its arguments that are data, or files' names, by name.

    Raises:
        ReplicaError: they differ; the message says what each rank is given.
    """
    replicas.compare(ranks, lambda: {f"what {call} is given": {name: _kind(each) for name, each in given.items()}})


def _kind(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given
    return os.fsdecode(given) if isinstance(given, os.PathLike) else Given(given).kind


@dataclass(frozen=True)
class Given:
    """What a caller passed as data, before it is known to be arrays, a sequence or a generator.

    Args:
        x, y, sample_weight, class_weight: as for ``Model.fit``.
        is_labelled: whether there must be targets.
        reading: how far ahead the batches of a sequence are made.
    """

    x: Any
    y: Any = None
    sample_weight: Any = None
    class_weight: Mapping[Any, float] | None = None
    is_labelled: bool = True
    reading: ReadingAhead = ReadingAhead()

    @property
    def is_sequence(self) -> bool:
        """Whether ``x`` gives batches by number, or is a ``Dataset``."""
        if isinstance(self.x, HasPipeline):
            return True
        has_length = hasattr(self.x, "__len__") or says_its_batches(self.x)
        has_items = hasattr(self.x, "__getitem__") and has_length
        return (
            has_items
            and not isinstance(self.x, list | tuple | Mapping | str)
            and not hasattr(self.x, "dtype")
            and (not hasattr(self.x, "to_numpy") and not hasattr(self.x, "__array__"))
        )

    @property
    def is_generator(self) -> bool:
        """Whether ``x`` yields batches."""
        return hasattr(self.x, "__next__") and not self.is_sequence

    @property
    def kind(self) -> str:
        """What gives the batches, for messages."""
        if isinstance(self.x, HasPipeline):
            return "a dataset"
        return "a sequence" if self.is_sequence else "a generator" if self.is_generator else "arrays"

    def arrays(self, model: FedModel) -> ArrayData:
        """The arrays; builds a model that waits for its input shape."""
        if callable(self.x) and not hasattr(self.x, "__array__"):
            name = getattr(self.x, "__name__", repr(self.x))
            raise DataError(
                f"x: expected arrays, a generator or a sequence, received {name} itself. Call it: {name}()."
            )
        read = labelled_data if self.is_labelled else array_data
        return read(model, self.x, self.y, self.sample_weight, self.class_weight)

    def source(
        self,
        model: FedModel,
        ranks: Communicator,
        batch_size: int | None,
        shuffle: bool | str = False,
        steps: int | None = None,
    ) -> Source:
        """Batches of ``batch_size`` rows, or what ``steps`` batches need, or as the sequence or generator makes them.

        Raises:
            ArgumentError: ``y`` or weights beside a sequence or generator, which holds its own.
        """
        if not self.is_sequence and not self.is_generator:
            data = self.arrays(model)
            return ArraySource(data, rows_of_a_batch(batch_size, data.rows, steps), ranks, shuffle)
        if self.y is not None or self.sample_weight is not None:
            raise ArgumentError("a generator or sequence gives targets and weights itself: pass neither beside it.")
        unpack = partial(self._unpacked, model)
        if isinstance(self.x, HasPipeline):
            return DatasetSource(self.x.stage, unpack, ranks)
        if self.is_sequence:
            return SequenceSource(self.x, unpack, ranks, bool(shuffle), self.reading)
        return GeneratorSource(self.x, unpack, ranks, lambda batch: model.open_to([a.shape for a in batch.x]))

    def _unpacked(self, model: FedModel, item: Any) -> ArrayData:
        """The arrays of ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

        Source: ``keras.utils.unpack_x_y_sample_weight``, for which a list is a tuple.
        """
        parts = tuple(item) if isinstance(item, list | tuple) else (item,)
        if not self._least_parts <= len(parts) <= 3 or item is None:
            received = f"{len(parts)} parts" if isinstance(item, list | tuple) else type(item).__name__
            raise DataError(f"expected (x, y) or (x, y, sample_weight), received {received}.")
        x, y, weight = (*parts, None, None)[:3]
        class_weight = self.class_weight if weight is None else None
        data = Given(x, y, weight, class_weight, self.is_labelled).arrays(model)
        if self.is_labelled:
            data.check_finite(slice(0, data.rows), model.dtype)
        return data

    @property
    def _least_parts(self) -> int:
        return 2 if self.is_labelled else 1
