"""Batches of the texts in folders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from distnet.arguments import check_integer
from distnet.errors import DatasetError
from distnet.pipelines.dataset import Dataset
from distnet.preprocessing.labelled_files import Folders, check_format
from distnet.types import Array

_WHERE = "text_dataset_from_directory"


def text_dataset_from_directory(
    directory: str | Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A dataset of the ``.txt`` files below ``directory/class``, read when they are needed, with their classes.

    Shapes:
        Batches ``(texts, labels)``: texts (N,) strings; labels as of ``image_dataset_from_directory``.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
            verbose: see ``Folders``.
        max_length: bytes of a text that are kept; None for all. A character that is cut is left out.
        format: ``"tf"``.

    Returns:
        A ``Dataset`` with ``class_names`` and ``file_paths``; a list of two with the subset ``"both"``. Texts are
        ``str`` read as UTF-8, while TensorFlow's are bytes; bytes that are no UTF-8 are kept as surrogates.

    Raises:
        ArgumentError, DataError, DatasetError: see ``Folders.datasets``.
        AbsentError: another ``format`` is wanted.

    Source: ``keras.utils.text_dataset_from_directory``; orders, splits and labels for a seed are Keras's.
    """
    check_format(_WHERE, format)
    if max_length is not None:
        check_integer(f"{_WHERE}: max_length", max_length, 1)
    folders = Folders(
        _WHERE, (".txt",), "texts", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    made = folders.datasets(partial(_read, max_length=max_length), Dataset.batch)
    return made if subset == "both" else made[0]


def _read(path: str, max_length: int | None) -> Array:
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error}.") from error
    if max_length is None or len(text) <= max_length:
        return np.array(text.decode("utf-8", "surrogateescape"))
    cut = max_length
    while cut > max(0, max_length - 3) and text[cut] & 0xC0 == 0x80:  # within a character of several bytes
        cut -= 1
    is_within = text[cut] >= 0xC0
    return np.array(text[: cut if is_within else max_length].decode("utf-8", "surrogateescape"))
