"""Batches of pictures in folders, one folder a class."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from distnet.arguments import check_option
from distnet.comm import world
from distnet.errors import ArgumentError, DataError
from distnet.preprocessing.class_folders import class_folders
from distnet.preprocessing.image.iterator import ImageMaker, Iterator, save_batch
from distnet.preprocessing.image.pictures import COLOR_MODES, INTERPOLATIONS, img_to_array, load_img, size_of
from distnet.types import Array

CLASS_MODES = ("categorical", "binary", "sparse", "input", None)


class DirectoryIterator(Iterator):
    """Batches of the pictures below ``directory/class``, read when they are needed, with their classes.

    Each rank reads the files of its own rows only; all ranks must see the same files.

    Args:
        directory: a folder that has a folder for each class.
        image_data_generator: changes and normalizes the images.
        target_size: height and width to which pictures are resized.
        color_mode: ``"rgb"``, ``"rgba"`` or ``"grayscale"``.
        classes: folders in the order of their numbers; by default all, in the order of their names.
        class_mode: targets: ``"categorical"`` one-hot, ``"binary"`` and ``"sparse"`` class numbers, ``"input"`` the
            images themselves, None for none.
        batch_size, shuffle, seed: see ``Iterator``.
        save_to_dir, save_prefix, save_format: see ``NumpyArrayIterator``.
        follow_links: whether to enter folders that are symbolic links.
        subset: ``"training"`` or ``"validation"``: the first files of each class, as many as the generator's
            ``validation_split``.
        interpolation, keep_aspect_ratio: see ``load_img``.

    Raises:
        ArgumentError: a class or an option is unknown.
        DataError: there are no pictures.
        MissingFileError: there is no such directory.
        DatasetError: later, a file is no picture.

    Source: ``keras.preprocessing.image.DirectoryIterator``.
    """

    def __init__(
        self,
        directory: str | Path,
        image_data_generator: ImageMaker,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | Path | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
        keep_aspect_ratio: bool = False,
    ) -> None:
        self.directory = str(directory)
        self.image_data_generator = image_data_generator
        self.target_size = size_of(target_size, "flow_from_directory")
        self.color_mode, self.class_mode, self.subset = color_mode, class_mode, subset
        self.interpolation, self.keep_aspect_ratio = interpolation, keep_aspect_ratio
        self._check_options()
        channels = COLOR_MODES[color_mode]
        is_first = image_data_generator.data_format == "channels_first"
        self.image_shape = (channels, *self.target_size) if is_first else (*self.target_size, channels)
        self._save_to = None if save_to_dir is None else (Path(save_to_dir), save_prefix, save_format)
        self._find_files(_folders(self.directory) if classes is None else _class_names(classes), follow_links)
        if world().rank == 0:
            sys.stdout.write(f"Found {self.samples} images belonging to {self.num_classes} classes.\n")
        super().__init__(self.samples, batch_size, shuffle, seed)

    @property
    def labels(self) -> Array:
        """The class of each file."""
        return self.classes

    def _take(self, index: Array, epoch: int) -> Any:
        generator = self.image_data_generator
        x = np.empty((len(index), *self.image_shape), generator.dtype)
        for image, row in zip(x, index, strict=True):
            image[...] = self._read(self.filepaths[row])
        x = generator.make(x, self.address, epoch, index)
        if self._save_to is not None:
            save_batch(x, index, epoch, self._save_to, str(generator.data_format))
        if self.class_mode is None:
            return x
        if self.class_mode == "input":
            return x, x.copy()
        if self.class_mode == "categorical":
            return x, np.eye(self.num_classes, dtype=generator.dtype)[self.classes[index]]
        return x, self.classes[index].astype(generator.dtype)

    def _read(self, path: str) -> Array:
        height, width = self.target_size
        with load_img(path, self.color_mode, (height, width), self.interpolation, self.keep_aspect_ratio) as img:
            return img_to_array(img, self.image_data_generator.data_format, self.image_data_generator.dtype)

    def _find_files(self, names: list[str], follow_links: bool) -> None:
        self.class_indices = {name: number for number, name in enumerate(names)}
        self.num_classes = len(names)
        by_class = [self._files_of(name, follow_links) for name in names]
        self.filenames = [file for files in by_class for file in files]
        self.classes = np.repeat(np.arange(len(names), dtype=np.int32), [len(files) for files in by_class])
        self.samples = len(self.filenames)
        self.filepaths = [os.path.join(self.directory, file) for file in self.filenames]
        if not self.filenames:
            raise DataError(
                f"{self.directory}: expected folders of pictures ({', '.join(self.white_list_formats)}), one folder a "
                f"class, found none in {names}."
            )

        if self.class_mode == "binary" and self.num_classes > 2:
            raise ArgumentError(
                f"{self.directory}: class_mode 'binary' is for 2 classes, found {names}. Use 'categorical' or "
                "'sparse', or name two classes."
            )

    def _files_of(self, name: str, follow_links: bool) -> list[str]:
        folder = os.path.join(self.directory, name)
        if not os.path.isdir(folder):
            raise ArgumentError(
                f"{self.directory}: expected a folder for the class {name!r}, found {_folders(self.directory)}."
            )
        files = [
            os.path.relpath(os.path.join(root, file), self.directory)
            for root, _, names in sorted(os.walk(folder, followlinks=follow_links), key=lambda entry: entry[0])
            for file in sorted(names)
            if file.lower().endswith(self.white_list_formats)
        ]
        if self.subset is None:
            return files
        at = int(len(files) * self.image_data_generator.validation_split)
        return files[:at] if self.subset == "validation" else files[at:]

    def _check_options(self) -> None:
        known: list[tuple[str, Any, Sequence[Any]]] = [
            ("color_mode", self.color_mode, list(COLOR_MODES)),
            ("class_mode", self.class_mode, CLASS_MODES),
            ("interpolation", self.interpolation, INTERPOLATIONS),
            ("subset", self.subset, ("training", "validation", None)),
        ]
        for option, value, values in known:
            check_option(f"flow_from_directory: {option}", value, values)


def _class_names(classes: object) -> list[str]:
    names = list(classes) if isinstance(classes, Sequence) and not isinstance(classes, str) else []
    if not names or len(set(names)) != len(names) or not all(isinstance(name, str) for name in names):
        raise ArgumentError(f"flow_from_directory: classes: expected a list of different names, received {classes!r}.")
    return names


def _folders(directory: str) -> list[str]:
    return class_folders(directory, "flow_from_directory")
