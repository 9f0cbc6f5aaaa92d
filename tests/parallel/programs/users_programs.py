"""Programs as Keras's guides write them, with functions of their authors': the losses of each, and its weights."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
from programs_of_decisions import actor_critic, graph_attention
from programs_of_layers import (
    cell_of_ones_own,
    custom_dense,
    list_of_sublayers,
    masked_decoder,
    mixture_of_experts,
    siamese_network,
    state_and_added_loss,
    transformer,
    vector_quantizer,
)
from programs_of_steps import (
    contrastive_learning,
    distillation,
    distillation_of_features,
    generative_adversarial_network,
    optimizer_of_ones_own,
    training_loop,
    variational_autoencoder,
    variational_autoencoder_by_add_loss,
    wasserstein_gan,
)
from users_setting import keras

PROGRAMS: list[Callable] = [
    custom_dense, state_and_added_loss, list_of_sublayers, variational_autoencoder, variational_autoencoder_by_add_loss,
    generative_adversarial_network, wasserstein_gan, siamese_network, transformer, cell_of_ones_own, training_loop,
    distillation, distillation_of_features, contrastive_learning, optimizer_of_ones_own,
    mixture_of_experts, vector_quantizer, graph_attention, actor_critic, masked_decoder,
]  # fmt: skip


def run(programs) -> dict[str, np.ndarray]:
    results: dict[str, np.ndarray] = {}
    for number, program in enumerate(programs):
        keras.utils.set_random_seed(number)
        losses, model = program()
        results[program.__name__] = np.array(losses)
        results[f"{program.__name__}_weights"] = np.concatenate([w.ravel() for w in model.get_weights()])
    return results


if __name__ == "__main__":
    np.savez(sys.argv[1], **run([p for p in PROGRAMS if p.__name__ in sys.argv[2:] or not sys.argv[2:]]))
