"""Seconds from the start of a program to the end of its first training step, compiling included.

    python benchmarks/start_up.py --model mlp --ranks 1 2 4 --peer keras-jax

Every turn is a new process. Kernels that distnet compiled before are on the disk, except with ``--without-cache``.
"""

from __future__ import annotations

import tempfile

import measuring
from contestants import add_peers, chosen_peers, distnet, machine, peer
from workloads import WORKLOADS


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument("--model", choices=WORKLOADS, default="mlp")
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[1, 4])
    parser.add_argument("--without-cache", action="store_true", help="let distnet compile its kernels in each turn")
    add_peers(parser)
    options = measuring.read(parser)
    arguments = ["--model", options.model, "--batch", str(WORKLOADS[options.model].batch), "--steps", "1"]
    entrants = [distnet(ranks, arguments) for ranks in options.ranks]
    peers = [peer(name, options.peer_python, arguments) for name in chosen_peers(options)]
    if options.without_cache:
        for _ in range(options.rounds):
            for entrant in entrants:
                with tempfile.TemporaryDirectory(prefix="numba-") as empty:
                    entrant.environment = {**entrant.environment, "NUMBA_CACHE_DIR": empty}
                    measuring.compete([entrant], 1, is_fresh=True)
    else:
        measuring.compete(entrants, 1, is_fresh=True)  # compiles what no process did before
        for entrant in entrants:
            entrant.values.clear()
    measuring.compete(peers if options.without_cache else [*entrants, *peers], options.rounds, is_fresh=True)
    seconds = {each.name: each.values["first epoch s"] for each in (*entrants, *peers)}
    print(f"{options.model}, start to first step, {machine(options.rounds)}\n")
    rows = [[name, *(f"{value:.2f}" for value in measuring.spread(values))] for name, values in seconds.items()]
    print(measuring.table(["s", "median", "min", "max"], rows))
    if options.plot:
        measuring.plot(options.plot, "s to the first step", {options.model: seconds})


if __name__ == "__main__":
    main()
