"""Keras's callbacks: what happens at given moments of training."""

from __future__ import annotations

from distnet.callbacks.base import Callback as Callback
from distnet.callbacks.base import CallbackList as CallbackList
from distnet.callbacks.csv_logger import CSVLogger as CSVLogger
from distnet.callbacks.early_stopping import EarlyStopping as EarlyStopping
from distnet.callbacks.history import History as History
from distnet.callbacks.lambda_callback import LambdaCallback as LambdaCallback
from distnet.callbacks.model_checkpoint import ModelCheckpoint as ModelCheckpoint
from distnet.callbacks.progress import ProgbarLogger as ProgbarLogger
