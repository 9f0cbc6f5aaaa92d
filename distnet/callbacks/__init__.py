"""Keras's callbacks: what happens at given moments of training."""

from __future__ import annotations

from distnet.absent import names_elsewhere
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

__getattr__ = names_elsewhere(
    __name__,
    absent={
        "OrbaxCheckpoint": "it writes JAX's files. Use ModelCheckpoint or BackupAndRestore.",
    },
)
