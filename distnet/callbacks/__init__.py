"""Keras's callbacks: what happens at given moments of training. Each is imported when it is first named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from distnet.absent import names_elsewhere
from distnet.late_rooms import homes, late_names

if TYPE_CHECKING:
    from distnet.callbacks.backup_and_restore import BackupAndRestore as BackupAndRestore
    from distnet.callbacks.base import Callback as Callback
    from distnet.callbacks.base import CallbackList as CallbackList
    from distnet.callbacks.csv_logger import CSVLogger as CSVLogger
    from distnet.callbacks.early_stopping import EarlyStopping as EarlyStopping
    from distnet.callbacks.history import History as History
    from distnet.callbacks.lambda_callback import LambdaCallback as LambdaCallback
    from distnet.callbacks.learning_rate_scheduler import LearningRateScheduler as LearningRateScheduler
    from distnet.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
    from distnet.callbacks.plot_losses import PlotLosses as PlotLosses
    from distnet.callbacks.profiler import Profiler as Profiler
    from distnet.callbacks.progbar_logger import ProgbarLogger as ProgbarLogger
    from distnet.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau as ReduceLROnPlateau
    from distnet.callbacks.remote_monitor import RemoteMonitor as RemoteMonitor
    from distnet.callbacks.swap_ema_weights import SwapEMAWeights as SwapEMAWeights
    from distnet.callbacks.tensorboard import TensorBoard as TensorBoard
    from distnet.callbacks.terminate_on_nan import TerminateOnNaN as TerminateOnNaN

_HOMES = homes(
    __name__,
    {
        "backup_and_restore": "BackupAndRestore",
        "base": "Callback CallbackList",
        "csv_logger": "CSVLogger",
        "early_stopping": "EarlyStopping",
        "history": "History",
        "lambda_callback": "LambdaCallback",
        "learning_rate_scheduler": "LearningRateScheduler",
        "model_checkpoint": "ModelCheckpoint",
        "plot_losses": "PlotLosses",
        "profiler": "Profiler",
        "progbar_logger": "ProgbarLogger",
        "reduce_lr_on_plateau": "ReduceLROnPlateau",
        "remote_monitor": "RemoteMonitor",
        "swap_ema_weights": "SwapEMAWeights",
        "tensorboard": "TensorBoard",
        "terminate_on_nan": "TerminateOnNaN",
    },
)
_elsewhere = names_elsewhere(
    __name__,
    absent={
        "OrbaxCheckpoint": "it writes JAX's files. Use ModelCheckpoint or BackupAndRestore.",
    },
)
__getattr__, __dir__ = late_names(__name__, _HOMES, _elsewhere)

__all__ = [*_HOMES]
