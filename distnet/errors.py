"""Every exception that distnet raises on purpose.

::

    DistnetError
    ├── ArgumentError       (ValueError)    a value the caller passed cannot be used
    │   └── UnknownNameError                a name that no registry knows
    ├── ShapeError          (ValueError)    an array or layer of the wrong shape
    ├── DataError           (ValueError)    training data that cannot be trained on
    ├── NotBuiltError       (RuntimeError)  weights asked for before they exist
    ├── NotCompiledError    (RuntimeError)  training asked for before compile()
    ├── DivergenceError     (RuntimeError)  a loss that is no longer a number
    ├── GradientError       (RuntimeError)  a layer's gradient that is not that of its forward
    ├── AbsentError         (NotImplementedError)  something of Keras that distnet lacks
    ├── MissingPackageError (ImportError)   an optional package or program that is not installed
    ├── CheckpointError     (OSError, ValueError)  a file that cannot be written, read or trusted
    │   ├── MissingCheckpointError          one that is not there; a FileNotFoundError, too
    │   └── UnknownObjectError              a class or function that a file names is missing; an UnknownNameError, too
    ├── DatasetError        (OSError)       a dataset that cannot be found or fetched
    │   └── MissingFileError                a file or folder that is not there; a FileNotFoundError, too
    └── CommunicationError  (RuntimeError)  the ranks cannot work together
        ├── LaunchError                     started in a way that cannot be one job
        ├── LostRanksError                  other ranks died, and MPI lets this one go on
        └── ReplicaError                    the ranks do not hold the same model or data

    SystemExit
    └── Preempted                           the job was told to end; its training is saved

A message says where, what was expected, what was received, and the remedy.
"""

from __future__ import annotations


class DistnetError(Exception):
    """Base of every error that distnet raises on purpose."""


class ArgumentError(DistnetError, ValueError):
    """A value the caller passed cannot be used."""


class UnknownNameError(ArgumentError):
    """A name that no registry knows."""


class ShapeError(DistnetError, ValueError):
    """An array or a layer of the wrong shape."""


class DataError(DistnetError, ValueError):
    """Training data that cannot be trained on: empty, not finite, out of range.

    Args:
        message: see above.
        row: index of the wrong row among those given; a caller adds where these lie in the data.
    """

    def __init__(self, message: str, row: int | None = None) -> None:
        super().__init__(message)
        self.row = row


class NotBuiltError(DistnetError, RuntimeError):
    """Weights were asked for before the input shape was known."""


class NotCompiledError(DistnetError, RuntimeError):
    """Training was asked for before ``compile()``."""


class DivergenceError(DistnetError, RuntimeError):
    """The loss became NaN or infinite."""


class GradientError(DistnetError, RuntimeError):
    """A layer's gradient is not that of its forward."""


class AbsentError(DistnetError, NotImplementedError):
    """Something of Keras was used that distnet lacks."""


class MissingPackageError(DistnetError, ImportError):
    """An optional package or program is not installed."""


class CheckpointError(DistnetError, OSError, ValueError):
    """A file that cannot be written, read or trusted.

    Keras raises OSError for some of these and ValueError for others: programs expect either.
    """


class MissingCheckpointError(CheckpointError, FileNotFoundError):
    """A model's file that is not there."""


class UnknownObjectError(CheckpointError, UnknownNameError):
    """A file names a class or function that does not exist, or is the user's and not in ``custom_objects``."""


class DatasetError(DistnetError, OSError):
    """A dataset that cannot be found, fetched or verified."""


class MissingFileError(DatasetError, FileNotFoundError):
    """A file or folder that is not there."""


class CommunicationError(DistnetError, RuntimeError):
    """The ranks cannot work together."""


class LaunchError(CommunicationError):
    """The processes were started in a way that cannot be one job."""


class LostRanksError(CommunicationError):
    """Other ranks have died, and MPI lets this one go on without them."""


class ReplicaError(CommunicationError):
    """The ranks do not hold the same model, data or settings."""


class Preempted(SystemExit):
    """The job was told to end, and its training is saved: the program exits with a code that asks for a restart.

    Source: ``EX_TEMPFAIL`` of BSD's ``sysexits.h``.
    """

    EXIT_CODE = 75

    def __init__(self) -> None:
        super().__init__(self.EXIT_CODE)
