"""Peak memory of each rank, beside what its arrays need, and of other frameworks.

    python benchmarks/memory.py --model mlp cnn resnet --ranks 1 2 --peer keras-jax

``limit``: weights x (2 + slots / ranks) + activations + 150 MB: ranks of a node share slots. Activations are the
outputs of the layers for a rank's rows. ``wide`` has 50 million weights. Loops were compiled by an earlier process:
one that compiles has up to 140 MB more. Code of libraries, and what ranks share, is mapped by each process: ``own``
counts for each its share of that (Linux's Pss), among all that run at the time.
"""

from __future__ import annotations

import math

import measuring
from contestants import add_peers, chosen_peers, distnet, machine, peer
from workloads import SLOTS, WORKLOADS

import distnet as keras

BASE_MB = 150
BYTES = 4


def limit_mb(name: str, rows: int, ranks: int) -> tuple[float, float, float]:
    """Megabytes of the weights, of the activations of these rows, and the limit of one of so many ranks."""
    work = WORKLOADS[name]
    model = work.model(keras)
    weights = model.count_params() * BYTES / 1e6
    activations = sum(math.prod(layer.output.shape[1:]) for layer in model.layers) * rows * BYTES / 1e6
    return weights, activations, weights * (2 + SLOTS[work.optimizer] / ranks) + activations + BASE_MB


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__, rounds=1)
    parser.add_argument("--model", nargs="+", choices=WORKLOADS, default=["mlp", "cnn", "resnet"])
    parser.add_argument("--batch", type=measuring.positive, help="rows of a step, over all ranks (the model's)")
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[1, 2])
    add_peers(parser)
    options = measuring.read(parser)
    rows, bars = [], {}
    for model in options.model:
        batch = options.batch or WORKLOADS[model].batch
        arguments = ["--model", model, "--batch", str(batch), "--steps", "2"]
        entrants = [distnet(ranks, arguments) for ranks in options.ranks]
        measuring.compete(entrants, 1, is_fresh=True)  # compiles what no process did before
        for entrant in entrants:
            entrant.values.clear()
        entrants += [peer(name, options.peer_python, arguments) for name in chosen_peers(options)]
        measuring.compete(entrants, options.rounds, is_fresh=True)
        for entrant in entrants:
            sizes = (
                limit_mb(model, -(-batch // entrant.processes), entrant.processes)
                if entrant.name.startswith("distnet")
                else ()
            )
            peak = max(entrant.values["peak MB"])
            own = peak - min(entrant.values["shared MB"])
            told = [f"{peak:.0f}", f"{own:.0f}", *(f"{size:.1f}" for size in sizes)]
            rows.append([f"{model}, batch {batch}", entrant.name, *told])
            rows[-1] += ["-"] * (7 - len(rows[-1]))
        bars[f"{model}, batch {batch}"] = {entrant.name: entrant.values["peak MB"] for entrant in entrants}
    print(f"{machine(options.rounds)}\n")
    print(measuring.table(["MB", "", "peak of a process", "own", "weights", "activations", "limit"], rows))
    if options.plot:
        measuring.plot(options.plot, "MB at the peak, each process", bars)


if __name__ == "__main__":
    main()
