"""Train on two pretended machines, over links that are slow, lossy, or cut, and hold each end to that of one rank.

    python tests/tools/link_trials.py                       this environment's MPI; as root
    python tests/tools/link_trials.py --layers 12 --units 512 --steps 12

Weights in float64 must be those of one process to 1e-10, with ``reproducible_shards`` bit for bit; a job that is cut in
two for good must end by itself, on both sides, within the limit plus 10 s. Exit code 0 if all of it holds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from jobs import Ranks, mpiexec
from pretended_link import Link
from pretended_machines import PretendedMachines, reason_not_to

PROGRAM = Path(__file__).parents[1] / "parallel" / "programs" / "over_a_link.py"
LINKS = {
    "plain": Link(),
    "10 ms": Link(delay_s=0.01),
    "100 Mbit/s": Link(bits_per_s=1e8),
    "10 ms, 100 Mbit/s": Link(delay_s=0.01, bits_per_s=1e8),
    "1% lost": Link(loss=0.01),
    "10 ms, 100 Mbit/s, 1% lost": Link(delay_s=0.01, bits_per_s=1e8, loss=0.01),
}
CUT = Link(is_cut=True)
SHARDS, MORE_S = 4, 10.0
LONGEST_S = 900


def trained(job: Ranks, path: Path, *arguments: object) -> dict[str, np.ndarray]:
    """What a training left."""
    job.run(PROGRAM, path, *arguments, timeout=LONGEST_S).succeeded()
    with np.load(path) as arrays:
        return dict(arrays)


def step_ms(ended: np.ndarray) -> tuple[float, float]:
    """Least and median."""
    each = 1e3 * np.diff(ended)[2:]
    return float(each.min()), float(np.median(each))


def difference(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The largest, of weights and logs, relative to the largest entry of each."""
    names = one.keys() - {"ended"}
    return max(float(np.abs(one[n] - other[n]).max() / max(np.abs(one[n]).max(), 1e-300)) for n in names)


def trial(options: argparse.Namespace, link: Link, shards: int, expected: dict[str, np.ndarray], folder: Path) -> str:
    """What does not hold of a training over a link; empty if all holds. Prints it with the times."""
    with PretendedMachines() as machines:
        machines.link(link)
        job = Ranks(machines.launcher(mpiexec(), options.ranks), folder)
        came = trained(job, folder / "many.npz", options.layers, options.units, shards, options.steps)
        sent, lost = machines.link(link)
    apart = difference(expected, came)
    wrong = f"differs by {apart:.1e}" if apart > (0 if shards else 1e-10) else ""
    least, median = step_ms(came["ended"])
    print(f"{'same bits' if shards else 'fast':9} {least:8.1f} {median:8.1f} ms a step, apart by {apart:.0e}, "
          f"{sent} packets, {lost} lost  {wrong or 'well'}", flush=True)  # fmt: skip
    return wrong


def cut(options: argparse.Namespace, folder: Path) -> str:
    """What does not hold of a job whose machines are cut from each other for good."""
    with PretendedMachines() as machines:
        job = Ranks(machines.launcher(mpiexec(), options.ranks), folder).start(
            PROGRAM, folder / "cut.npz", 2, 64, 0, 5000, env={"DISTNET_TIMEOUT_S": f"{options.limit:g}"}
        )
        job.wait_for(folder / "cut.npz.started", 60)
        machines.link(CUT)
        cut_at, longest = time.monotonic(), options.limit + MORE_S
        while job.members() and time.monotonic() < cut_at + longest + 20:
            job.process.poll()
            time.sleep(0.1)
        seconds, left = time.monotonic() - cut_at, job.left()
        job.kill()
    said = job.err.read_text(errors="replace")
    wrong = [f"processes left: {', '.join(left)}"] * bool(left)
    wrong += [f"took {seconds:.1f} s, allowed are {longest:g}"] * (seconds > longest)
    wrong += ["exit code 0"] * (job.process.returncode == 0)
    wrong += ["names no rank"] * ("rank" not in said)
    print(f"ended {seconds:.1f} s after the cut, exit code {job.process.returncode}  {'; '.join(wrong) or 'well'}")
    if wrong or options.verbose:
        print(said[-4000:], flush=True)
    return "; ".join(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", type=int, default=2, help="of both machines together")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--units", type=int, default=96)
    parser.add_argument("--steps", type=int, default=10, help="of an epoch")
    parser.add_argument("--limit", type=float, default=6.0, help="DISTNET_TIMEOUT_S of the job that is cut")
    parser.add_argument("--only", default="", help="links whose names hold this text; 'cut' is one")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if reason := reason_not_to():
        raise SystemExit(f"no machines can be pretended here: this {reason}.")
    failures = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shape = (options.layers, options.units)
        expected = {s: trained(Ranks((), folder), folder / "one.npz", *shape, s, options.steps) for s in (0, SHARDS)}
        for name, link in LINKS.items():
            for shards in (0, SHARDS) if options.only in name else ():
                print(f"{name:27}", end=" ", flush=True)
                failures.append(trial(options, link, shards, expected[shards], folder))
        if options.only in "cut":
            print(f"{'cut':27}", end=" ", flush=True)
            failures.append(cut(options, folder))
    return int(any(failures))


if __name__ == "__main__":
    raise SystemExit(main())
