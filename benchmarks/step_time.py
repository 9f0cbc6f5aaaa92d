"""Milliseconds of a training step: distnet beside other frameworks, in one run, on the same cores.

    python benchmarks/step_time.py --model mlp cnn --batch 128 512 --peer keras-jax torch

A time is that of a step within the training loop, averaged over an epoch, after an epoch of warming up.
Ratios say how many times faster than a peer: its median divided by the contestant's.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import product

import measuring
from contestants import add_peers, chosen_peers, distnet, machine, peer
from measuring import Contestant
from workloads import WORKLOADS

OWN_LAYERS = "own-layers"


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = measuring.options(__doc__)
    models = "; ".join(f"{name}: {work.what}" for name, work in WORKLOADS.items())
    parser.add_argument("--model", nargs="+", choices=WORKLOADS, default=["mlp"], help=f"{models} (default: mlp)")
    add_peers(parser)
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[1, 2], help="of distnet (1 2)")
    parser.add_argument("--one-thread", action="store_true", help="also distnet on one rank, and every peer, with one")
    parser.add_argument("--batch", type=measuring.positive, nargs="+", help="rows of a step, over all ranks")
    parser.add_argument("--steps", type=measuring.positive, help="of an epoch (default: about half a second's)")
    return measuring.read(parser)


def compete(model: str, batch: int, options: argparse.Namespace) -> list[Contestant]:
    """All contestants, with their times."""
    work = WORKLOADS[model]
    steps = 2 if options.quick else options.steps or max(2, work.steps * work.batch // batch)
    arguments = ["--model", model, "--batch", str(batch), "--steps", str(steps)]
    peers = chosen_peers(options)
    entrants = [distnet(ranks, arguments) for ranks in options.ranks]
    entrants += [peer(name, options.peer_python, arguments) for name in peers]
    if options.one_thread:
        entrants += [distnet(1, arguments, True)]
        entrants += [peer(name, options.peer_python, arguments, True) for name in peers if name != "torch-ddp"]
    measuring.compete(entrants, options.rounds)
    return entrants


def times_faster(entrants: list[Contestant]) -> str:
    """Every contestant's times, and how many times faster than each peer it is."""
    medians = {entrant.name: statistics.median(entrant.values["ms"]) for entrant in entrants}
    peers = [name for name in medians if not name.startswith("distnet")]
    rows = [
        [entrant.name, *(f"{ms:.3f}" for ms in measuring.spread(entrant.values["ms"]))]
        + [f"{medians[name] / medians[entrant.name]:.2f}" for name in peers]
        for entrant in entrants
    ]
    return measuring.table(["ms/step", "median", "min", "max", *(f"x {name}" for name in peers)], rows)


def summary(results: dict[str, list[Contestant]]) -> str:
    """The best configuration of distnet beside the fastest peer, of all models and batches."""
    rows = []
    for title, entrants in results.items():
        medians = {entrant.name: statistics.median(entrant.values["ms"]) for entrant in entrants}
        ours = {name: ms for name, ms in medians.items() if name.startswith("distnet")}
        theirs = {name: ms for name, ms in medians.items() if name not in ours and not name.startswith(OWN_LAYERS)}
        best = min(ours, key=lambda name: medians[name])
        cells = [title, best, f"{medians[best]:.3f}"]
        for of_keras in (True, False):
            group = [name for name in theirs if name.startswith("keras") == of_keras]
            fastest = min(group, key=lambda name: medians[name], default=None)
            cells += [fastest, f"{medians[fastest]:.3f}", f"{medians[fastest] / medians[best]:.2f}"] if fastest else []
            cells += [] if fastest else ["-"] * 3
        rows.append(cells)
    heads = ["best of distnet", "ms", "fastest Keras", "ms", "times", "fastest PyTorch", "ms", "times"]
    return measuring.table(["", *heads], rows)


def main() -> None:
    """Run all rounds, and print the tables."""
    options = parse_options()
    results: dict[str, list[Contestant]] = {}
    chosen_peers(options)
    for model, batch in product(options.model, options.batch or [None]):
        title = f"{model}, batch {batch or WORKLOADS[model].batch}"
        results[title] = compete(model, batch or WORKLOADS[model].batch, options)
        print(f"{title}, {machine(options.rounds)}\n\n{times_faster(results[title])}\n", flush=True)
    if options.peer:
        print(summary(results))
    if options.plot:
        bars = {title: {each.name: each.values["ms"] for each in entrants} for title, entrants in results.items()}
        measuring.plot(options.plot, "ms a step", bars)


if __name__ == "__main__":
    main()
