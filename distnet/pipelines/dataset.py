"""A dataset: elements in a row, and the methods of ``tf.data.Dataset`` that programs call on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from distnet import addresses
from distnet.arguments import check_integer, check_option
from distnet.errors import AbsentError, ArgumentError
from distnet.pipelines.batching_stages import Batched, Cached, PaddedBatched, Unbatched
from distnet.pipelines.buffer_shuffle import ShuffleSeeds
from distnet.pipelines.elements import as_element, count_rows, read_only
from distnet.pipelines.rearranging_stages import Concatenated, Repeated, Shuffled, Taken
from distnet.pipelines.row_stages import Enumerated, Mapped, Sifted, Slices, Zipped
from distnet.pipelines.stage import INFINITE, UNKNOWN, HasPipeline, PipelineStage
from distnet.results import as_result
from distnet.tree import map_structure

_TF_DEFAULT_SEED = 87654321
_LARGEST_SEED = 2**31 - 1
_OF_TF_DATA = {
    *(
        "apply",
        "bucket_by_sequence_length",
        "choose_from_datasets",
        "counter",
        "fingerprint",
        "flat_map",
        "from_generator",
    ),
    *("from_tensors", "get_single_element", "group_by_window", "ignore_errors", "interleave", "list_files", "load"),
    *("options", "ragged_batch", "random", "range", "rebatch", "reduce", "rejection_resample", "sample_from_datasets"),
    *("save", "scan", "snapshot", "sparse_batch", "take_while", "unique", "window", "with_options", "element_spec"),
}


class Dataset(HasPipeline):
    """Elements, made when they are asked for: arrays, or tuples and dicts of arrays; each again in every loop.

    ``fit``, ``evaluate`` and ``predict`` take one whose elements are batches, ``x`` or ``(x, y)`` or
    ``(x, y, sample_weight)``. Under MPI each rank makes its own rows of them only, as far as functions of single rows
    allow it; a function of a whole batch, ``batch(n).map(f)``, is given the whole batch. In a loop of your own every
    rank gets all of it.

    With a seed elements are shuffled as by TensorFlow; without one the ranks agree on one. In ``fit`` an epoch's order
    depends on the epoch's number, so that an interrupted training goes on with it.

    Attributes:
        class_names: of ``image_dataset_from_directory`` and its like alone: the classes, in the order of their numbers.
        file_paths: likewise: the files.

    Source: ``tf.data.Dataset``.
    """

    class_names: list[str] | None
    file_paths: list[str]

    def __init__(self, stage: PipelineStage) -> None:
        self.stage = stage

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Self:
        """The rows of arrays, which may be nested in tuples and dicts.

        Raises:
            DataError, ShapeError: they do not have equally many rows.
        """
        arrays = map_structure(read_only, as_element(tensors))
        count_rows(arrays, "from_tensor_slices")
        return cls(Slices(arrays))

    @classmethod
    def zip(cls, *datasets: Any) -> Self:
        """Tuples of an element of each dataset, until the first ends."""
        several = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple | list) else datasets
        return cls(Zipped(tuple(_stage_of(dataset, "zip") for dataset in several)))

    def __iter__(self) -> Iterator[Any]:
        return map(as_result, self.as_numpy_iterator())

    def __len__(self) -> int:
        count = self.stage.count
        if count == INFINITE:
            raise TypeError("the dataset is infinite: it has no length. Take some of it: dataset.take(n).")
        if count == UNKNOWN:
            raise TypeError("the length of the dataset is not known before its elements have been made.")
        return count

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        count = {INFINITE: "infinitely many", UNKNOWN: "an unknown number of"}.get(self.stage.count, self.stage.count)
        return f"<Dataset: {count} elements>"

    def __getattr__(self, name: str) -> Any:
        if name in _OF_TF_DATA:
            raise AbsentError(
                f"Dataset.{name} is not in distnet: a dataset has those methods of tf.data that make batches of "
                "files and arrays. Use map, filter, batch ... or a generator or PyDataset of your own."
            )
        if name in ("class_names", "file_paths"):
            raise AttributeError(
                f"only what *_dataset_from_directory returns has {name}: read it before map, batch ..."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as plain NumPy arrays; numbers and strings by themselves as NumPy's."""
        turn = self.stage.begin(self.stage.turns)
        return (map_structure(lambda leaf: leaf if leaf.ndim else leaf[()], e) for e in self.stage.elements(turn))

    def cardinality(self) -> Any:
        """Number of elements; -1 where it is infinite, -2 where it is not known."""
        return as_result(np.asarray(self.stage.count, np.int64))

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        use_unbounded_threadpool: bool = False,
        name: str | None = None,
    ) -> Self:
        """A function of each element; of a tuple's parts as its arguments.

        Args:
            map_func: gets NumPy arrays, gives arrays, tensors, numbers, strings, or tuples and dicts of them.
            num_parallel_calls, deterministic, synchronous, use_unbounded_threadpool, name: have no effect.
        """
        return self._then(Mapped(self.stage, _function(map_func, "map")))

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Self:
        """The elements of which a function is true."""
        return self._then(Sifted(self.stage, _function(predicate, "filter")))

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Self:
        """Batches of so many elements; the last one may be smaller, unless it is dropped."""
        return self._then(Batched(self.stage, _count(batch_size, "batch: batch_size", 1), bool(drop_remainder)))

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Self:
        """As ``batch``, with zeros behind each element, up to the largest of the batch.

        Raises:
            AbsentError: another shape or value is wanted.
        """
        if padded_shapes is not None or padding_values is not None:
            raise AbsentError("padded_batch: padded_shapes and padding_values are not in distnet: pad in map.")
        size = _count(batch_size, "padded_batch: batch_size", 1)
        return self._then(PaddedBatched(self.stage, size, bool(drop_remainder)))

    def unbatch(self, name: str | None = None) -> Self:
        """The rows of batches."""
        stage = self.stage
        return self._then(stage.inner if isinstance(stage, Batched) and not stage.drops_remainder else Unbatched(stage))

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool = True,
        name: str | None = None,
    ) -> Self:
        """The elements in a random order: each is one of the next ``buffer_size`` that have not come yet.

        Args:
            buffer_size: how many wait at a time.
            seed: with it the order is TensorFlow's.
            reshuffle_each_iteration: whether each pass has an order of its own.
            name: has no effect.
        """
        size = _count(buffer_size, "shuffle: buffer_size", 1)
        check_option("shuffle: reshuffle_each_iteration", reshuffle_each_iteration, (True, False, None))
        return self._then(Shuffled(self.stage, size, _seeds(seed), reshuffle_each_iteration is not False))

    def cache(self, filename: str = "", name: str | None = None) -> Self:
        """The elements as the first pass makes them, kept in memory.

        Raises:
            AbsentError: a file is named.
        """
        if filename:
            raise AbsentError(
                "cache: a file for what is kept is not in distnet: leave filename out, to keep it in memory."
            )
        return self._then(Cached(self.stage))

    def prefetch(self, buffer_size: int | None = None, name: str | None = None) -> Self:
        """The same: training asks for what comes next as it can."""
        return self._then(self.stage)

    def take(self, count: int, name: str | None = None) -> Self:
        """The first elements; all with -1."""
        wanted = _count(count, "take: count", -1)
        return self._then(Taken(self.stage, 0, None if wanted == -1 else wanted))

    def skip(self, count: int, name: str | None = None) -> Self:
        """All but the first elements; none with -1."""
        dropped = _count(count, "skip: count", -1)
        return self._then(Taken(self.stage, 0, 0) if dropped == -1 else Taken(self.stage, dropped))

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Self:
        """One of ``num_shards`` elements, from number ``index`` on. ``fit`` shares rows among ranks by itself.

        Raises:
            ArgumentError: there is no such shard.
        """
        step = _count(num_shards, "shard: num_shards", 1)
        if _count(index, "shard: index", 0) >= step:
            raise ArgumentError(f"shard: index: expected one from 0 to {step - 1}, received {index}.")
        return self._then(Taken(self.stage, int(index), None, step))

    def repeat(self, count: int | None = None, name: str | None = None) -> Self:
        """Several passes, one after the other; for ever with None or -1."""
        times = -1 if count is None else _count(count, "repeat: count", -1)
        return self._then(Repeated(self.stage, None if times == -1 else times))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Self:
        """These elements, then those of another dataset."""
        return self._then(Concatenated(self.stage, _stage_of(dataset, "concatenate")))

    def enumerate(self, start: int = 0, name: str | None = None) -> Self:
        """Pairs of a number, counted from ``start``, and an element."""
        return self._then(Enumerated(self.stage, _count(start, "enumerate: start", -_LARGEST_SEED)))

    def _then(self, stage: PipelineStage) -> Self:
        return type(self)(stage)


def _seeds(seed: int | None) -> ShuffleSeeds:
    """As TensorFlow puts the seed of all together with that of one shuffle."""
    if seed is None:
        words = addresses.generator(addresses.job_seed(), "shuffle of a dataset", addresses.next_call_index())
        return ShuffleSeeds(*(int(word) for word in words.integers(1, _LARGEST_SEED, 2)))
    check_integer("shuffle: seed", seed, -_LARGEST_SEED)
    of_all = addresses.users_seed()
    one = _TF_DEFAULT_SEED if of_all is None else of_all % _LARGEST_SEED
    two = int(seed) % _LARGEST_SEED
    return ShuffleSeeds(one, two if one or two else _LARGEST_SEED)


def _function(function: Any, where: str) -> Callable[..., Any]:
    if not callable(function):
        raise ArgumentError(f"{where}: expected a function of an element, received {function!r}.")
    chosen: Callable[..., Any] = function
    return chosen


def _count(value: Any, where: str, least: int) -> int:
    """A number, as ``cardinality`` gives one, too."""
    return check_integer(where, value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value, least)


def _stage_of(dataset: object, where: str) -> PipelineStage:
    if not isinstance(dataset, Dataset):
        raise ArgumentError(f"{where}: expected datasets, received {dataset!r}.")
    return dataset.stage
