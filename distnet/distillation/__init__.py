"""A student that learns from a teacher: ``keras.distillation``."""

from distnet.distillation.distiller import Distiller as Distiller
from distnet.losses.distillation_losses import DistillationLoss as DistillationLoss
from distnet.losses.distillation_losses import FeatureDistillation as FeatureDistillation
from distnet.losses.distillation_losses import LogitsDistillation as LogitsDistillation
