"""Keras's path of questions and messages on the console."""

from __future__ import annotations

from distnet.absent import names_elsewhere
from distnet.callbacks.console import say
from distnet.comm import world
from distnet.config import disable_interactive_logging as disable_interactive_logging
from distnet.config import enable_interactive_logging as enable_interactive_logging
from distnet.config import is_interactive_logging_enabled as is_interactive_logging_enabled

__getattr__ = names_elsewhere(
    __name__,
    absent={
        "HDF5Matrix": "read the dataset with h5py: h5py.File(path)[dataset][start:end].",
        "ask_to_proceed_with_overwrite": "ranks cannot be asked. Look for the file, and pass overwrite=.",
    },
)


def print_msg(message: str, line_break: bool = True) -> None:
    """Write a message; rank 0 alone does.

    Source: ``keras.utils.io_utils.print_msg``.
    """
    if world().rank == 0:
        say(message, end="\n" if line_break else "")
