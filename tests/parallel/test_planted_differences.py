"""No difference between ranks trains without being named, wherever it is, and on whichever rank."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
OPTIMIZERS = (
    "momentum", "nesterov", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "beta_1", "beta_2", "epsilon", "amsgrad", "rho", "centered", "loss_scale_factor", "gradient_accumulation_steps",
    "initial_accumulator_value", "l1_regularization_strength",
)  # fmt: skip
ARGUMENTS = (
    "batch_size", "epochs", "shuffle", "steps_per_epoch", "initial_epoch", "validation_freq", "validation_steps",
    "validation_batch_size",
)  # fmt: skip
LAYERS = (
    "units", "activation", "rate", "trainable", "kernel_regularizer: config: l2",
    "kernel_constraint: config: max_value", "kernel_constraint: globals: FACTOR", "kernel_initializer: config: value",
    "kernel_initializer: globals: FACTOR", "momentum", "function: globals: FACTOR", "mean",
)  # fmt: skip
VALUES = (
    "COMMAND_LINE", "KIND", "OBJECT", "Settings", "QUEUE", "FRACTION", "MANY", "VARIABLE", "POLYNOMIAL", "cached",
    "FACTOR",
)  # fmt: skip
LAYERS_OF_LOOPS = (
    "activation", "rate", "seed", "function: globals: FACTOR", "scale", "stddev", "epsilon", "momentum",
)  # fmt: skip
PLANTED = {
    "one entry": ("the training data, x[137, 3], is", "on rank 1 and", "(1 of rows 0 to 199 differ)"),
    "one entry of rank 0": ("the training data, x[137, 3], is", "on rank 0 and", "on ranks 1, 2"),
    "one label": ("the training data, y[151, 0], is 1.25 on rank 1 and 1.0 on ranks 0, 2",),
    "one weight": ("the training data, sample_weight[77], is 1.25 on rank 1",),
    "one validation label": ("the validation data, y[51, 0], is",),
    "one entry to evaluate": ("the data, x[151, 0], is",),
    "one entry to predict": ("the data, x[151, 0], is",),
    "late batch": ("in step 3, x differs", "on rank 1 and", "on ranks 0, 2"),
    "late targets": ("in step 3, y differs",),
    "late weights": ("in step 3, sample_weight differs",),
    "late batch to validate on": ("batch [3]: x, is",),
    "late batch to evaluate": ("batch [3]: y, is",),
    "names": ("the names", '"planted_b" on rank 1'),
    "closure": ("the compile settings, loss: from around it: factor, is 2.0 on rank 1 and 1.0 on ranks 0, 2",),
    "global": ("loss: globals: FACTOR, is 2.0 on rank 1",),
    "global of a module": ("loss: globals: USED.RATE, is 2.0 on rank 1",),
    "flag": ("loss: globals: IS_ODD, is true on rank 1",),
    "environment": ('loss: environment: PLANTED_FACTOR, is "2.0" on rank 1',),
    "own loss": ("loss: code: attributes: factor, is 2.0 on rank 1",),
    "own metric": ("metrics[0]: config: fn: from around it: factor, is 2.0",),
    "own activation": ("activation: defaults[0], is 2.0 on rank 1",),
    "own regularizer": ("kernel_regularizer: globals: FACTOR, is 2.0",),
    "own model": ("the model's code, attributes: factor, is 2.0 on rank 1",),
    "list of a layer": ("layer 1: code: attributes: factors[64], is",),
    "seed of a layer": ("layer 1: code: attributes: seed: config: seed, is 2 on rank 1 and 1 on ranks 0, 2",),
    "generator of a layer": ("layer 1: code: attributes: drawn: state, is",),
    "settings": ("the settings, epsilon, is 0.001 on rank 1",),
    "rate between batches": ("the optimizer, config: learning_rate, is 0.5 on rank 1",),
    "weights between batches": ("the weights of rank 1 differ from rank 0's",),
    "weights in place between batches": ("weights",),
    "argument between batches": ("the architecture, layer 2: config: trainable, is false on rank 1",),
    "label to train on": ("the data, y[150, 0], is",),
    "label to test on": ("the data, y[150, 0], is",),
    "batch of a loop": ("an array of shape (200, 4) differs on rank 1 from rank 0's",),
    "labels of a loop": ("an array of shape (200, 1) differs on rank 1 from rank 0's",),
    "loss of a loop": ("the target, such as the loss, differs on rank 1 from rank 0's",),
    **{
        f"layer of a loop: {name}": (f"the models and layers, model 0: layer 2: config: {name}, is", "on rank 1 and")
        for name in LAYERS_OF_LOOPS
    },
    "loss of a loop: delta": ("the losses, loss 0: config: delta, is 2.0 on rank 1 and 1.0 on ranks 0, 2",),
    "loss of a loop: label_smoothing": ("the losses, loss 0: config: label_smoothing, is 0.2 on rank 1",),
    "loss of a loop: class_name": ('the losses, loss 0: class_name, is "MeanAbsoluteError" on rank 1',),
    "own layer of a loop": ("model 0: layer 2: code: methods: call: globals: FACTOR, is 2.0 on rank 1",),
    "own loss of a loop": ("the losses, loss 0: code: methods: call: globals: FACTOR, is 2.0 on rank 1",),
    "own model of a loop": ("the models and layers, model 0: ", "globals: FACTOR, is 2.0 on rank 1"),
    "mode of a loop": ("the argument training of a call differs on rank 1 from rank 0's",),
    "settings of a loop": ("the settings, epsilon, is 0.001 on rank 1",),
    "argument within a loop": ("the models and layers, model 0: layer 2: config: activation, is",),
    "weight within a loop": ("different weights", "first of", "kernel"),
    "statistics of a loop": ("different weights", "moving_mean"),
    **{f"optimizer: {name}": (f"the optimizer, config: {name}, is",) for name in OPTIMIZERS},
    **{f"fit: {name}": (f"the fit arguments, {name}, is",) for name in ARGUMENTS},
    **{f"layer: {name}": (f"the architecture, layer 1: config: {name}, is",) for name in LAYERS},
    **{f"value: {name}": ("loss: from around it: value: globals: ", name) for name in VALUES},
    "kind of data": ('what fit is given, x, is "a generator" on rank 1 and "arrays" on ranks 0, 2',),
    "kind of data of rank 0": ('what fit is given, x, is "arrays" on rank 1 and "a generator" on ranks 0, 2',),
    "kind of validation": ('what fit is given, validation_data, is "arrays" on rank 1 and "a generator"',),
    "kind of data to evaluate": ('what evaluate is given, x, is "a generator" on rank 1',),
    "kind of data to predict": ('what predict is given, x, is "arrays" on rank 1',),
    "resume": ('what fit is given, resume, is "checkpoint.keras" on rank 1 and null on ranks 0, 2',),
    "fit: validation_split": ("x: shape[0], is 160 on rank 1 and 180 on ranks 0, 2",),
    "class weight": ("the training data, sample_weight[0], is 2.0 on rank 1",),
    "weight of validation": ("the validation data, sample_weight[3], is 1.25 on rank 1",),
    "no weights": ("the training data, sample_weight, is", "absent on ranks 0, 2"),
    "one more row": ("the training data, x: shape[0], is 201 on rank 1",),
    "dtype of data": ('the training data, x: dtype, is "float32" on rank 1',),
    "swapped inputs": ("the training data, x[0][0, 0], is",),
    "wiring": ("the wiring, calls[1]: layer, is",),
    "one more layer": ("the names, layer 2, is null on rank 1 and absent on ranks 0, 2",),
    "seed": ("the seed is 2 on rank 1",),
    "loss": ("the compile settings, loss, is",),
    "loss weights": ("the compile settings, loss_weights[0], is 2.0 on rank 1",),
    "delta of a loss": ("loss: config: delta, is 6.0 on rank 1",),
    "metrics": ('metrics[0], is "mae" on rank 1',),
    "threshold": ("metrics[0]: config: threshold, is 0.5 on rank 1",),
    "class of a metric": ("metrics[0]: code: methods: result: ",),
    "class of a layer": ("the architecture, layer 1: code: methods: call: ",),
    "other optimizer": ('the optimizer, class_name, is "Adam" on rank 1',),
    "schedule": ("learning_rate: config: initial_learning_rate, is 2.0 on rank 1",),
    "own schedule": ("learning_rate: code: attributes: factor, is 2.0 on rank 1",),
    "own step": ("the model's code, methods: train_step: globals: FACTOR, is 2.0 on rank 1",),
    "floatx": ('the settings, floatx, is "float64" on rank 1',),
    "policy": ("the settings",),
    "image format": ('the settings, image_data_format, is "channels_first" on rank 1',),
    "compression": ('the distribution, compression, is "float16" on rank 1',),
    "blocks": ("the distribution, reproducible_shards, is 4 on rank 1",),
    "vocabulary": ("layer 1: config: vocabulary, is",),
    "data to adapt to": ("adapt: the ranks saw different data", "rank 1"),
    "trainable variable": ("the variables, number 0, kernel: trainable, is false on rank 1 and true on ranks 0, 2",),
    "constraint of a variable": ("the variables, number 0, kernel: constraint, is",),
    "excluded from decay": ("the variables, number 0, kernel: excluded from weight decay[0], is true on rank 1",),
    "rate between fits": ("the optimizer, config: learning_rate, is 0.5 on rank 1",),
    "iterations between fits": ("step of the optimizer differs",),
    "compiled anew": ("the compile settings, loss, is",),
    "slots between fits": ("in step 11, a part of the weights differs",),
    "iterations between batches": ("step of the optimizer differs",),
    "slots between batches": ("the weights of rank 1 differ from rank 0's",),
    "beta_1 between batches": ("the optimizer, config: beta_1, is 0.5 on rank 1",),
    "states between batches": ("the weights of rank 1 differ from rank 0's",),
    "rows to train on": ("the data, x[11, 0], is",),
    "rows to test on": ("the data, x[11, 0], is",),
    "rows to predict": ("the data, x[11, 0], is",),
    "weight of a batch": ("the data, sample_weight[7], is 1.25 on rank 1",),
    "class weight of a batch": ("the data, sample_weight[0], is 2.0 on rank 1",),
    "fewer rows of a batch": ("the data, x: shape[0], is 19 on rank 1",),
    "batches to evaluate": ("the arguments, batch_size, is 10 on rank 1",),
}
OF_ONE_RANK = {
    "missing input": "expected a dict with the keys ['a', 'b'], received ['a']",
    "end of a sequence": "batch 1 of the sequence: making it raised StopIteration",
    "constraint by a callback": "kernel: a callback set its constraint to",
}
HARMLESS = (
    "a thread, and dates",
    "order of inputs", "verbose", "steps_per_execution", "name of an optimizer", "DataParallel or None", "callbacks",
    "body of a callback", "generator", "weights between fits", "states between fits", "state of a metric",
)  # fmt: skip
"""As README.md says, all ranks train the same in spite of them."""


def met_by(errors_of_ranks, **env):
    """What the ranks met, after what holds wherever the difference is."""
    met = errors_of_ranks("planted_differences", [*PLANTED, *OF_ONE_RANK, *HARMLESS], **env)
    for each in met:
        for case in PLANTED:
            assert each[case].startswith("ReplicaError: "), (case, each[case])
        for case, part in OF_ONE_RANK.items():
            assert part in each[case], (case, each[case])
        assert {each[case] for case in HARMLESS} == {"none"}, {case: each[case] for case in HARMLESS}
    return met


def test_a_difference_in_one_thing_on_one_rank_is_named_on_every_rank(errors_of_ranks):
    for met in met_by(errors_of_ranks):
        for case, parts in PLANTED.items():
            assert all(part in met[case] for part in parts), (case, met[case])


def test_so_it_is_where_rank_0_alone_differs(errors_of_ranks):
    """Its message tells what rank 0 has, or, of weights and arrays that are held to its own, that another's differ."""
    for met in met_by(errors_of_ranks, PLANTED_RANK="0"):
        for case in PLANTED:
            assert "rank 0" in met[case], (case, met[case])
