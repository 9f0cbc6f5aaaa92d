"""Batches of the sounds in folders."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from distnet.arguments import check_integer
from distnet.errors import AbsentError, ArgumentError, DatasetError
from distnet.pipelines.dataset import Dataset
from distnet.preprocessing.labelled_files import Folders
from distnet.types import Array

_WHERE = "audio_dataset_from_directory"
_BYTES_OF_A_SAMPLE = 2
_LOUDEST = 1 << 15


def audio_dataset_from_directory(
    directory: str | Path,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A dataset of the ``.wav`` files below ``directory/class``, read when they are needed, with their classes.

    Shapes:
        Batches ``(sounds, labels)``: sounds (N, length, channels) float32 in [-1, 1); labels as of
        ``image_dataset_from_directory``.

    Args:
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
            verbose: see ``Folders``.
        sampling_rate: samples a second that each file must have; nothing is resampled.
        output_sequence_length: samples of each sound, which is cut or filled up with zeros; None for those of the
            longest in a batch.
        ragged: whether a batch is an array of N arrays of different lengths.

    Returns:
        A ``Dataset`` with ``class_names`` and ``file_paths``; a tuple of two with the subset ``"both"``.

    Raises:
        ArgumentError, DataError, DatasetError: see ``Folders.datasets``.

    Source: ``keras.utils.audio_dataset_from_directory``; orders, splits and labels for a seed are Keras's.
    """
    for what, value in (("sampling_rate", sampling_rate), ("output_sequence_length", output_sequence_length)):
        if value is not None:
            check_integer(f"{_WHERE}: {what}", value, 1)
    if ragged and output_sequence_length is not None:
        raise ArgumentError(f"{_WHERE}: expected ragged or output_sequence_length, received both.")
    folders = Folders(
        _WHERE, (".wav",), "sounds", directory, labels, label_mode, class_names, batch_size, shuffle, seed,
        validation_split, subset, follow_links, verbose,
    )  # fmt: skip
    is_even = output_sequence_length is not None or ragged
    reader = _SoundReader(sampling_rate, output_sequence_length, ragged and batch_size is not None)
    made = folders.datasets(reader.read, Dataset.batch if is_even else Dataset.padded_batch)
    return tuple(made) if subset == "both" else made[0]


@dataclass(frozen=True)
class _SoundReader:
    """How a sound is read.

    Args:
        rate: samples a second that it must have; None for any.
        length: samples to which it is cut or filled up; None for its own.
        is_boxed: whether the sound becomes one entry of an array of arrays.
    """

    rate: int | None
    length: int | None
    is_boxed: bool

    def read(self, path: str) -> Array:
        """(length, channels), or that in an array without axes.

        Source: ``tf.audio.decode_wav``.
        """
        samples = self._samples(path)
        if self.length is not None:
            fitting = np.zeros((self.length, samples.shape[1]), np.float32)
            fitting[: len(samples)] = samples[: self.length]
            samples = fitting
        if not self.is_boxed:
            return samples
        box = np.empty((), object)
        box[()] = samples
        return box

    def _samples(self, path: str) -> Array:
        try:
            with wave.open(path, "rb") as file:
                rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
                frames = file.readframes(file.getnframes())
        except (OSError, EOFError, wave.Error) as error:
            raise DatasetError(f"{path}: cannot be read as a WAV file: {error}. Replace or remove the file.") from error
        if width != _BYTES_OF_A_SAMPLE:
            raise DatasetError(f"{path}: expected samples of 16 bits, received {8 * width}. Convert the file.")
        if self.rate not in (None, rate):
            raise AbsentError(
                f"{path}: has {rate} samples a second, not sampling_rate={self.rate}, and distnet does not resample "
                "sounds. Convert the files, or leave sampling_rate out."
            )
        return np.frombuffer(frames, "<i2").reshape(-1, channels).astype(np.float32) / _LOUDEST
