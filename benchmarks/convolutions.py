"""GFLOP/s of convolutions on one core: distnet beside PyTorch, forward / kernel gradient / input gradient.

python benchmarks/convolutions.py --peer torch
"""

from __future__ import annotations

import statistics
import sys

import measuring
from contestants import ONE_THREAD, add_peers, chosen_peers, machine
from convolving import BATCH, SHAPES, WAYS
from measuring import HERE, Contestant


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    add_peers(parser, ["torch"])
    options = measuring.read(parser)
    program, seconds = str(HERE / "convolving.py"), ["--seconds", "0.001" if options.quick else "0.1"]
    entrants = [Contestant("distnet", [sys.executable, program, "--framework", "distnet", *seconds], ONE_THREAD)]
    for name in chosen_peers(options):
        command = [options.peer_python, program, "--framework", name, *seconds]
        entrants += [Contestant(name, command, ONE_THREAD)]
        entrants += [Contestant(f"{name}, channels last", [*command, "--channels-last"], ONE_THREAD)]
    measuring.compete(entrants, options.rounds)
    rows, bars = [], {}
    for shape in SHAPES:
        speeds = [[each.values[f"{shape}/{way}"] for way in WAYS] for each in entrants]
        rows.append([str(shape), *("/".join(f"{statistics.median(of):.0f}" for of in each) for each in speeds)])
        for each, of_each in zip(entrants, speeds, strict=True):
            for way, values in zip(WAYS, of_each, strict=True):
                bars.setdefault(f"{shape}, {way}", {})[each.name] = values
    print(f"3 x 3, batch {BATCH}, float32, one thread, {machine(options.rounds)}\n")
    print(measuring.table(["GFLOP/s: " + " / ".join(WAYS), *(each.name for each in entrants)], rows))
    if options.plot:
        measuring.plot(options.plot, "GFLOP/s", bars)


if __name__ == "__main__":
    main()
