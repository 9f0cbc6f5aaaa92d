"""Microseconds that the end of a step takes on several ranks: distnet's beside raw MPI_Allreduce of as many bytes.

    python benchmarks/reduction.py --ranks 2 3 4

distnet sums the gradients and updates the weights at once; so its fair peer is MPI_Allreduce and the same update (SGD).
"""

from __future__ import annotations

import statistics
import sys

import measuring
from contestants import RUN, machine
from measuring import HERE, Contestant
from reducing import WAYS

SIZES = [10**power for power in range(3, 9)]


def main() -> None:
    """Print the table."""
    parser = measuring.options(__doc__)
    parser.add_argument("--ranks", type=measuring.positive, nargs="+", default=[2, 3, 4])
    parser.add_argument("--bytes", type=measuring.positive, nargs="+", default=SIZES, help="(1 KB to 100 MB)")
    options = measuring.read(parser)
    sizes = options.bytes[:2] if options.quick else options.bytes
    program = [str(HERE / "reducing.py"), "--seconds", "0.001" if options.quick else "0.1", "--bytes", *map(str, sizes)]
    entrants = {
        ranks: Contestant(f"{ranks} ranks", [str(RUN), "-n", str(ranks), *program], {"PYTHON": sys.executable}, ranks)
        for ranks in options.ranks
    }
    measuring.compete(list(entrants.values()), options.rounds)
    rows, bars = [], {}
    for ranks, entrant in entrants.items():
        for size in sizes:
            times = {way: entrant.values[f"{size}/{way}"] for way in WAYS}
            ours, both, raw = (statistics.median(each) for each in times.values())
            cells = [f"{ours:.1f}", f"{both:.1f}", f"{raw:.1f}", f"{both / ours:.2f}", f"{raw / ours:.2f}"]
            rows.append([f"{ranks} ranks, {size / 1e3:,.0f} KB", *cells])
            bars[rows[-1][0]] = times
    print(f"{machine(options.rounds)}\n")
    print(measuring.table(["us, medians", *WAYS, "x update, too", "x MPI_Allreduce"], rows))
    if options.plot:
        measuring.plot(options.plot, "us", bars)


if __name__ == "__main__":
    main()
