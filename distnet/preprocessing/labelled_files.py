"""Files in folders, with their classes, in the order and the parts in which Keras puts them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distnet import addresses
from distnet.arguments import check_integer, check_option, is_integer, is_number
from distnet.comm import world
from distnet.errors import AbsentError, ArgumentError, DataError, MissingFileError
from distnet.pipelines.dataset import Dataset
from distnet.preprocessing.class_folders import class_folders
from distnet.types import Array

LABEL_MODES = ("int", "categorical", "binary", None)
_SEEDS = 10**6
_BATCHES_THAT_WAIT = 8
_ROWS_THAT_WAIT = 1024


@dataclass(frozen=True)
class Files:
    """Paths, and the number of each one's class; None where there are no classes."""

    paths: list[str]
    labels: Array | None

    def taken(self, places: Sequence[int] | slice) -> Files:
        """Some of them."""
        paths = self.paths[places] if isinstance(places, slice) else [self.paths[i] for i in places]
        return Files(paths, None if self.labels is None else self.labels[places])


@dataclass(frozen=True)
class Folders:
    """The arguments that Keras's functions of folders share, and what follows from them.

    Args:
        where: the function's name.
        formats: how the names of files end.
        what: the files' name in messages, such as ``"images"``.
        directory: with a folder for each class, if labels are inferred.
        labels: ``"inferred"``, None, or one integer for each file in the order of their paths.
        label_mode: ``"int"``, ``"categorical"``, ``"binary"`` or None.
        class_names: folders in the order of their numbers; by default all, in the order of their names.
        batch_size: rows of a batch; None for rows by themselves.
        shuffle: whether rows come in a random order, another one in each pass.
        seed: of that order.
        validation_split: the share of the files that is the validation's.
        subset: ``"training"``, ``"validation"``, ``"both"`` or None.
        follow_links: whether to enter folders that are symbolic links.
        verbose: whether rank 0 says how many files there are.
    """

    where: str
    formats: tuple[str, ...]
    what: str
    directory: str | Path
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool

    def datasets(self, read: Callable[[str], Array], batched: Callable[[Dataset, int], Dataset]) -> list[Dataset]:
        """One dataset, or with the subset ``"both"`` those to train on and to validate on.

        Args:
            read: makes an array of a path.
            batched: puts rows into batches of a size.

        Raises:
            ArgumentError: an argument is invalid.
            DataError: there are no files.
            MissingFileError: there is no such directory.
        """
        self._check()
        seed = self.seed
        if seed is None:
            address = addresses.job_seed(), "files of a dataset", addresses.next_call_index()
            seed = int(addresses.generator(*address).integers(_SEEDS))
        files, names = self._found()
        if self.label_mode == "binary" and len(names or ()) != 2 and self._has_labels:
            raise ArgumentError(f"{self.where}: label_mode 'binary' is for 2 classes, received {names}.")
        if self.shuffle:
            order = list(range(len(files.paths)))
            np.random.RandomState(seed).shuffle(order)
            files = files.taken(order)
        parts = [self._part(files, subset) for subset in self._subsets()]
        return [
            self._dataset(part, names, seed if self.shuffle and number == 0 else None, read, batched)
            for number, part in enumerate(parts)
        ]

    @property
    def _has_labels(self) -> bool:
        return self.labels is not None and self.label_mode is not None

    def _subsets(self) -> tuple[str | None, ...]:
        return ("training", "validation") if self.subset == "both" else (self.subset,)

    def _dataset(
        self,
        files: Files,
        names: list[str] | None,
        seed: int | None,
        read: Callable[[str], Array],
        batched: Callable[[Dataset, int], Dataset],
    ) -> Dataset:
        size = self.batch_size
        paths = np.array(files.paths)
        rows = (paths,) if files.labels is None else (paths, self._encoded(files.labels, len(names or ())))
        dataset = Dataset.from_tensor_slices(rows)
        if seed is not None:
            dataset = dataset.shuffle(_ROWS_THAT_WAIT if size is None else size * _BATCHES_THAT_WAIT, seed)
        dataset = dataset.map(lambda path, *label: (read(str(path)), *label) if label else read(str(path)))
        dataset = dataset if size is None else batched(dataset, size)
        dataset.class_names = names
        dataset.file_paths = files.paths
        return dataset

    def _encoded(self, labels: Array, classes: int) -> Array:
        if self.label_mode == "binary":
            return labels.astype(np.float32)[:, None]
        if self.label_mode == "categorical":
            return np.asarray(labels[:, None] == np.arange(classes), np.float32)
        return labels

    def _found(self) -> tuple[Files, list[str] | None]:
        """All files, and the names of their classes."""
        if not self._has_labels or self.labels != "inferred":
            return self._numbered(self._files_below(str(self.directory)))
        names = self._folders()
        by_class = [self._files_below(os.path.join(self.directory, name)) for name in names]
        paths = [path for paths in by_class for path in paths]
        self._say(f"Found {len(paths)} files belonging to {len(names)} classes.", self.verbose)
        numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(paths) for paths in by_class])
        return Files(paths, numbers), names

    def _numbered(self, paths: list[str]) -> tuple[Files, list[str] | None]:
        if not self._has_labels:
            self._say(f"Found {len(paths)} files.", self.verbose)
            return Files(paths, None), None
        if len(self.labels) != len(paths):
            raise ArgumentError(
                f"{self.where}: labels: expected one for each of the {len(paths)} files in {self.directory}, received "
                f"{len(self.labels)}."
            )
        names = [str(label) for label in sorted(set(self.labels))]
        self._say(f"Found {len(paths)} files belonging to {len(names)} classes.", self.verbose)
        return Files(paths, np.asarray(self.labels, np.int32)), names

    def _folders(self) -> list[str]:
        folders = [name for name in class_folders(self.directory, self.where) if not name.startswith(".")]
        if self.class_names is None:
            return folders
        if not set(self.class_names) <= set(folders):
            raise ArgumentError(
                f"{self.where}: class_names: expected some of the folders {folders}, received {self.class_names}."
            )
        return list(self.class_names)

    def _files_below(self, folder: str) -> list[str]:
        if not os.path.isdir(folder):
            raise MissingFileError(f"{self.where}: {folder}: expected a directory, there is none.")
        walked = sorted(os.walk(folder, followlinks=self.follow_links), key=lambda entry: entry[0])
        return [
            os.path.join(folder, os.path.relpath(os.path.join(root, name), folder))
            for root, _, names in walked
            for name in sorted(names)
            if name.lower().endswith(self.formats)
        ]

    def _part(self, files: Files, subset: str | None) -> Files:
        """The last files for validation, the others for training."""
        held_out = int((self.validation_split or 0) * len(files.paths))
        at = len(files.paths) - held_out
        if subset is not None:
            count = at if subset == "training" else held_out
            self._say(f"Using {count} files for {subset}.")
            files = files.taken(slice(0, at) if subset == "training" else slice(at, None))
        if not files.paths:
            of = f"validation_split={self.validation_split} leaves none for {subset}" if subset else "found none"
            raise DataError(f"{self.where}: {self.directory}: expected {self.what} ({', '.join(self.formats)}): {of}.")
        return files

    def _say(self, text: str, wanted: bool = True) -> None:
        if wanted and world().rank == 0:
            sys.stdout.write(text + "\n")

    def _check(self) -> None:
        is_list = isinstance(self.labels, list | tuple) and all(map(is_integer, self.labels))
        if not is_list and self.labels is not None and self.labels != "inferred":
            raise ArgumentError(
                f"{self.where}: labels: expected 'inferred', None or a list of integers, received {self.labels!r}."
            )
        if self.class_names and (self.labels != "inferred" or self.label_mode is None):
            raise ArgumentError(f"{self.where}: class_names are for labels='inferred', received {self.labels!r}.")
        check_option(f"{self.where}: label_mode", self.label_mode, LABEL_MODES)
        check_option(f"{self.where}: subset", self.subset, ("training", "validation", "both", None))
        split = self.validation_split
        if split is not None and not (is_number(split) and 0 <= split < 1):
            raise ArgumentError(
                f"{self.where}: validation_split: expected a number between 0 and 1, received {split!r}."
            )
        if bool(split) != bool(self.subset):
            raise ArgumentError(f"{self.where}: validation_split and subset belong together: give both, or neither.")
        if split and self.shuffle and self.seed is None:
            raise ArgumentError(
                f"{self.where}: expected a seed, so that the files of training and validation are different ones."
            )
        if self.batch_size is not None:
            check_integer(f"{self.where}: batch_size", self.batch_size, 1)
        if self.seed is not None:
            check_integer(f"{self.where}: seed", self.seed, 0)


def check_format(where: str, kind: object) -> None:
    """Fail unless ``format`` is ``"tf"``.

    Raises:
        AbsentError: it is ``"grain"``.
        ArgumentError: it is something else.
    """
    check_option(f"{where}: format", kind, ("tf", "grain"))
    if kind == "grain":
        raise AbsentError(
            f"{where}: format='grain' is not in distnet: leave it out, and get a dataset of distnet's own."
        )
