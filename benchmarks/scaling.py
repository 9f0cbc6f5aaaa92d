"""The time of a training step on many machines: measured on pretended ones, predicted by a model for more.

    python benchmarks/scaling.py --measure --file benchmarks/scaling.json      as root: see pretended_machines.py
    python benchmarks/scaling.py --file benchmarks/scaling.json --plot docs/scaling.png

The first adds measurements to the file; the second fits ``scaling_model.py`` to those of two machines with one model,
and prints what it predicts for all others, with its error, and the curve to 1,024 ranks.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from measuring import HERE, table
from scaling_model import Setting, StepModel, fitted

RATES = (1e8, 3e8, 1e9)
DELAYS = (0.0, 0.001, 0.01)
CALIBRATED = {"nodes": 2, "ranks": 1, "layers": 12, "units": 256}
SHAPES = (CALIBRATED, CALIBRATED | {"units": 512}, CALIBRATED | {"layers": 4}, CALIBRATED | {"nodes": 4},
          CALIBRATED | {"ranks": 2})  # fmt: skip
BATCH, STEPS = 256, 6
FRAME_BYTES = 9000
"""Of a packet: with smaller ones, what carries them could not keep up with the fastest link."""
_SETTLES, _EPOCHS = 2, 4
_LONGEST_S = 240
CURVE_NODES = tuple(2**i for i in range(9))
CURVE_RANKS = 4
"""Of each node, in the curve."""


def measure(shape: dict[str, int], links: Sequence[tuple[float, float]]) -> Iterator[dict[str, float]]:
    """Times of a step, first on one machine, then over links: delay in s, bits a second."""
    from pretended_link import Link
    from pretended_machines import PretendedMachines

    python = Path(sys.executable)
    mpirun = (str(python.parent / "mpirun"),)
    ranks = shape["nodes"] * shape["ranks"]
    sizes = [str(shape["layers"]), str(shape["units"]), str(BATCH), str(STEPS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder, PretendedMachines(shape["nodes"], FRAME_BYTES) as machines:
        alone, many = Path(folder, "alone"), Path(folder, "many")
        program = [sys.executable, str(HERE / "link_steps.py")]
        on_one = subprocess.Popen([*mpirun, "-n", str(ranks), *program, str(alone), *sizes], env=environment)
        yield {**shape, "alone": 1, **epochs(on_one, alone)}
        stop(on_one, alone)
        if shape == CALIBRATED:  # what TCP costs the processor, without a program that carries packets
            direct, apart = Path(folder, "direct"), {"MPIR_CVAR_NUM_CLIQUES": "2", "UCX_TLS": "tcp,self"}
            over_tcp = subprocess.Popen([*mpirun, "-n", str(ranks), *program, str(direct), *sizes],
                                        env=environment | apart)  # fmt: skip
            yield {**shape, "direct": 1, **epochs(over_tcp, direct)}
            stop(over_tcp, direct)
        job = subprocess.Popen([*machines.launcher(mpirun, ranks), *program, str(many), *sizes], env=environment)
        for delay, rate in links:
            machines.link(Link(delay_s=delay, bits_per_s=rate))
            yield {**shape, "delay": delay, "rate": rate, **epochs(job, many)}
        stop(job, many)


def epochs(job: subprocess.Popen[bytes], path: Path) -> dict[str, float]:
    """Least and median ms of the next epochs, but for the first, in which the link changed."""
    before = len(path.read_text().splitlines()) if path.exists() else 0
    until = time.monotonic() + _LONGEST_S
    lines: list[str] = []
    while len(lines) < before + _SETTLES + _EPOCHS + (before == 0):
        if job.poll() is not None or time.monotonic() > until:
            job.kill()
            raise SystemExit(f"the job has ended with {job.returncode}, or takes too long")
        time.sleep(0.05)
        lines = path.read_text().splitlines() if path.exists() else []
    times = [tuple(map(float, line.split())) for line in lines[-_EPOCHS:]]
    return {"least": min(least for least, _ in times), "median": min(median for _, median in times)}


def stop(job: subprocess.Popen[bytes], path: Path) -> None:
    """Let a job end."""
    Path(f"{path}.stop").touch()
    job.wait(_LONGEST_S)


def weights(shape: dict[str, float]) -> float:
    """Of the model of ``link_steps.py``."""
    return shape["layers"] * shape["units"] * (shape["units"] + 1)


def settings(rows: list[dict[str, float]]) -> list[tuple[Setting, dict[str, float]]]:
    """What was measured over links, each with its time on one machine."""
    names = tuple(CALIBRATED)
    alone = {tuple(row[n] for n in names): row["least"] / 1e3 for row in rows if "alone" in row}
    return [
        (
            Setting(int(row["nodes"]), int(row["ranks"]), 4 * weights(row), row["delay"], row["rate"],
                    alone[tuple(row[n] for n in names)], int(row["nodes"])),
            row,
        )
        for row in rows if "alone" not in row and "direct" not in row
    ]  # fmt: skip


def of_real_machines(model: StepModel, rows: list[dict[str, float]]) -> StepModel:
    """The model with what a byte costs the processor where TCP alone carries it, as measured on one machine."""
    direct = min(row["least"] for row in rows if "direct" in row) / 1e3
    alone = min(row["least"] for row in rows if "alone" in row and is_calibrated(row)) / 1e3
    return replace(model, processor_s_per_byte=max(0.0, direct - alone) / (2 * 4 * weights(CALIBRATED)))


def is_calibrated(row: dict[str, float]) -> bool:
    """Whether a measurement is one of those that the model is fitted to."""
    return all(row[name] == value for name, value in CALIBRATED.items())


def comparison(measured: list[tuple[Setting, dict[str, float]]], model: StepModel) -> str:
    """A table of measured and predicted times, with the errors."""
    rows = []
    for setting, row in measured:
        predicted = 1e3 * model.seconds(setting)
        size = f"{int(row['nodes'])} x {int(row['ranks'])}, {weights(row) / 1e6:.2f}M"
        link = f"{1e3 * row['delay']:g} ms, {row['rate'] / 1e6:g} Mbit/s"
        error = f"{100 * (predicted / row['least'] - 1):+.0f}%"
        times = f"{1e3 * setting.compute_s:.0f}", f"{row['least']:.0f}", f"{predicted:.0f}"
        rows.append([size, link, *times, error, "fitted" if is_calibrated(row) else "held out"])
    return table(["nodes x ranks, weights", "link", "one machine", "measured", "predicted", "error", ""], rows)


def errors(measured: list[tuple[Setting, dict[str, float]]], model: StepModel, calibrated: bool) -> list[float]:
    """Sizes of the relative errors."""
    chosen = [(s, row) for s, row in measured if is_calibrated(row) == calibrated]
    return sorted(abs(1e3 * model.seconds(s) / row["least"] - 1) for s, row in chosen)


def curve(model: StepModel, compute_s: float, message_bytes: float, alpha_s: float, rate: float) -> list[float]:
    """Predicted steps a second of ``CURVE_NODES``, each node with the batch that one node has: times one node's."""
    seconds = [model.seconds(Setting(n, CURVE_RANKS, message_bytes, alpha_s, rate, compute_s)) for n in CURVE_NODES]
    return [n * compute_s / s for n, s in zip(CURVE_NODES, seconds, strict=True)]


CURVES = {
    "1 Gbit/s, 0.1 ms": (1e-4, 1e9),
    "10 Gbit/s, 0.05 ms": (5e-5, 1e10),
    "100 Gbit/s, 0.002 ms": (2e-6, 1e11),
}
CURVE_COMPUTE_S, CURVE_WEIGHTS = 0.5, 25e6
"""Of a model of ResNet50's size, with half a second of computing a step."""


def main() -> None:
    """Measure, or print the model's tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=HERE / "scaling.json", help="of the measurements")
    parser.add_argument("--measure", action="store_true", help="measure, and add it to the file")
    parser.add_argument("--shape", type=int, nargs="+", choices=range(len(SHAPES)), default=range(len(SHAPES)),
                        help="which of the configurations to measure")  # fmt: skip
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the curves; needs Matplotlib")
    options = parser.parse_args()
    rows: list[dict[str, float]] = json.loads(options.file.read_text()) if options.file.exists() else []
    if options.measure:
        sys.path.append(str(HERE.parent / "tests" / "tools"))
        for number in options.shape:
            for row in measure(SHAPES[number], [(delay, rate) for rate in RATES for delay in DELAYS]):
                print(row, flush=True)
                rows.append(row)
                options.file.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    measured = settings(rows)
    fits = [(s, row["least"] / 1e3) for s, row in measured if is_calibrated(row)]
    model = fitted([s for s, _ in fits], [t for _, t in fits])
    real = of_real_machines(model, rows)
    report(measured, model, real)
    if options.plot:
        draw(options.plot, measured, model, real)


def report(measured: list[tuple[Setting, dict[str, float]]], model: StepModel, real: StepModel) -> None:
    """Print the fitted numbers, the errors and the curves."""
    print(f"e = {model.efficiency:.2f} of the bandwidth, l = {model.latencies:.1f} latencies a message, "
          f"c = {1e9 * model.processor_s_per_byte:.1f} ns a byte; "
          f"over TCP alone c = {1e9 * real.processor_s_per_byte:.1f} ns\n")  # fmt: skip
    print(comparison(measured, model))
    for name, calibrated in (("fitted", True), ("held out", False)):
        if each := errors(measured, model, calibrated):
            median, most = 100 * each[len(each) // 2], 100 * each[-1]
            print(f"\n{name}: {len(each)} measurements, error {median:.0f}% in the median, at most {most:.0f}%")
    ranks = [str(n * CURVE_RANKS) for n in CURVE_NODES]
    efficiencies = [
        [name, *(f"{100 * gain / n:.0f}%" for gain, n in zip(_curve(real, link), CURVE_NODES, strict=True))]
        for name, link in CURVES.items()
    ]
    print(f"\nefficiency, extrapolated: {CURVE_WEIGHTS / 1e6:g}M weights, {CURVE_COMPUTE_S:g} s of computing a step, "
          f"{CURVE_RANKS} ranks a node, each node its batch\n")  # fmt: skip
    print(table(["ranks", *ranks], efficiencies))


def _curve(model: StepModel, link: tuple[float, float]) -> list[float]:
    return curve(model, CURVE_COMPUTE_S, 4 * CURVE_WEIGHTS, *link)


def draw(path: Path, measured: list[tuple[Setting, dict[str, float]]], model: StepModel, real: StepModel) -> None:
    """Predicted beside measured times, and the curves."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    for name, calibrated in (("fitted", True), ("held out", False)):
        chosen = [(1e3 * model.seconds(s), row["least"]) for s, row in measured if is_calibrated(row) == calibrated]
        left.loglog([t for _, t in chosen], [p for p, _ in chosen], "o", label=name)
    bounds = [min(row["least"] for _, row in measured), max(row["least"] for _, row in measured)]
    left.loglog(bounds, bounds, "k-", linewidth=0.8)
    left.set(xlabel="measured, ms a step", ylabel="predicted, ms a step")
    ranks = [n * CURVE_RANKS for n in CURVE_NODES]
    for name, link in CURVES.items():
        right.loglog(ranks, _curve(real, link), "o-", label=name, base=2)
    right.loglog(ranks, CURVE_NODES, "k--", linewidth=0.8, label="ideal", base=2)
    right.set(xlabel=f"ranks, {CURVE_RANKS} a node (extrapolated)", ylabel="times one node")
    for axes in (left, right):
        axes.legend()
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=80)


if __name__ == "__main__":
    main()
