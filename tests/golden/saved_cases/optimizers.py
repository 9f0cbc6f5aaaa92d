"""Every optimizer and schedule, on one small model."""

from .parts import CASES, mlp


def of_optimizer(name, make):
    CASES[name] = lambda k: mlp(k, make(k.optimizers))


OPTIMIZERS = {
    "sgd": lambda o: o.SGD(0.05),
    "sgd_momentum": lambda o: o.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda o: o.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=0.1),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_momentum": lambda o: o.RMSprop(0.01, momentum=0.5),
    "rmsprop_centered": lambda o: o.RMSprop(0.01, centered=True),
    "rmsprop_both": lambda o: o.RMSprop(0.01, momentum=0.5, centered=True),
    "adam": lambda o: o.Adam(0.01, beta_1=0.8, epsilon=1e-4),
    "adam_amsgrad": lambda o: o.Adam(0.01, amsgrad=True),
    "adam_clipvalue": lambda o: o.Adam(0.01, clipvalue=0.01),
    "adam_global_clipnorm": lambda o: o.Adam(0.01, global_clipnorm=0.05),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "adagrad": lambda o: o.Adagrad(0.05, initial_accumulator_value=0.2),
    "adadelta": lambda o: o.Adadelta(0.5),
    "ftrl": lambda o: o.Ftrl(0.05, l1_regularization_strength=0.001, l2_regularization_strength=0.01, beta=0.1),
    "ftrl_power": lambda o: o.Ftrl(0.05, learning_rate_power=-0.3, l2_shrinkage_regularization_strength=0.01),
    "rmsprop_epsilon": lambda o: o.RMSprop(0.01, epsilon=0.01),
    "rmsprop_centered_epsilon": lambda o: o.RMSprop(0.01, centered=True, epsilon=0.01),
    "rmsprop_momentum_epsilon": lambda o: o.RMSprop(0.01, momentum=0.5, epsilon=0.01),
    "adagrad_epsilon": lambda o: o.Adagrad(0.05, epsilon=0.1),
    "exponential_decay": lambda o: o.Adam(o.schedules.ExponentialDecay(0.02, 5, 0.9, staircase=True)),
    "piecewise": lambda o: o.SGD(o.schedules.PiecewiseConstantDecay([4, 12], [0.1, 0.05, 0.01]), momentum=0.5),
    "polynomial": lambda o: o.RMSprop(o.schedules.PolynomialDecay(0.02, 12, 0.001, 2.0)),
    "inverse_time": lambda o: o.SGD(o.schedules.InverseTimeDecay(0.1, 3, 0.5)),
    "cosine": lambda o: o.Adam(o.schedules.CosineDecay(0.02, 15, alpha=0.1)),
    "cosine_restarts": lambda o: o.Adam(o.schedules.CosineDecayRestarts(0.02, 4)),
}
NEW = {
    "adam_weight_decay": lambda o: o.Adam(0.01, weight_decay=0.1),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.05),
    "lion": lambda o: o.Lion(0.01),
    "adafactor": lambda o: o.Adafactor(0.05),
    "adam_ema": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=4),
    "sgd_ema": lambda o: o.SGD(0.05, momentum=0.9, use_ema=True, ema_momentum=0.9),
}
KERAS_3 = {
    "lamb": lambda o: o.Lamb(0.01),
    "adam_accumulating": lambda o: o.Adam(0.01, gradient_accumulation_steps=2),
    "sgd_ema_accumulating": lambda o: o.SGD(
        0.05, momentum=0.5, use_ema=True, ema_overwrite_frequency=3, gradient_accumulation_steps=2
    ),
    "cosine_warmup": lambda o: o.Adam(o.schedules.CosineDecay(0.001, 15, warmup_target=0.02, warmup_steps=5)),
}
for _name, _make in {**OPTIMIZERS, **NEW, **KERAS_3}.items():
    of_optimizer(_name, _make)
