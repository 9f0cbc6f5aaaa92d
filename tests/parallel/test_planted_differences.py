"""No difference between ranks trains without being named, wherever it is, and on whichever rank."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"

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
}


def test_a_difference_in_one_thing_on_one_rank_is_named_on_every_rank(errors_of_ranks):
    for met in errors_of_ranks("planted_differences", PLANTED):
        for case, parts in PLANTED.items():
            assert met[case].startswith("ReplicaError: "), (case, met[case])
            assert all(part in met[case] for part in parts), (case, met[case])


def test_so_it_is_where_rank_0_alone_differs(errors_of_ranks):
    """Its message tells what rank 0 has, or, of weights and arrays that are held to its own, that another's differ."""
    for met in errors_of_ranks("planted_differences", PLANTED, PLANTED_RANK="0"):
        for case in PLANTED:
            assert met[case].startswith("ReplicaError: "), (case, met[case])
            assert "rank 0" in met[case], (case, met[case])
