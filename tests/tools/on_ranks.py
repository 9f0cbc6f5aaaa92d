"""Generated models on several ranks against one rank: one result, to 1e-10 in float64."""

from __future__ import annotations

import collections
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase

import distnet
from as_program import program_of
from conditioning import LAST_BITS, MAGNIFIABLE, is_ill_conditioned
from running import Results, Run, apart
from specifications import specifications

TOLERANCE = 1e-10
OF_A_JOB = 100
"""Specifications that one job runs."""
IN_RUNNING = "error in running"
HERE = Path(__file__).parent


def drawn(count: int, seed: int) -> list[dict[str, Any]]:
    """So many different specifications."""
    specs: dict[str, dict[str, Any]] = {}
    settings = hypothesis.settings(
        max_examples=2, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.generate,)
    )

    def keep(spec: dict[str, Any]) -> None:
        specs[json.dumps(spec, sort_keys=True)] = spec

    number = seed * 1_000_000
    while len(specs) < count:
        hypothesis.seed(number)(settings(hypothesis.given(specifications(is_on_ranks=True))(keep)))()
        number += 1
    return list(specs.values())[:count]


def launcher(ranks: int) -> list[str]:
    """The command before the program: none for one rank."""
    if ranks == 1:
        return []
    beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    mpirun = shutil.which("mpirun", path=beside)
    if mpirun is None:
        raise SystemExit(f"no mpirun beside {sys.executable} or in PATH")
    return [mpirun, "-n", str(ranks)]


def job(specs: list[dict[str, Any]], ranks: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run specifications, one after the other; what they give is in the folder."""
    given = folder / "specs.json"
    given.write_text(json.dumps(specs))
    program = [sys.executable, str(HERE / "run_on_ranks.py"), str(given), str(folder / "results.npz")]
    return subprocess.run(launcher(ranks) + program, capture_output=True, text=True, check=False)


def results_in(folder: Path, count: int) -> list[Results]:
    """What a job left there, for each specification."""
    results: list[Results] = [{} for _ in range(count)]
    with np.load(folder / "results.npz") as held:
        for key in held:
            number, name = key.split("/", 1)
            results[int(number)][name] = held[key]
    return results


def run(specs: list[dict[str, Any]], ranks: int) -> list[Results]:
    """What each specification gives on a number of ranks."""
    with tempfile.TemporaryDirectory() as folder:
        done = job(specs, ranks, Path(folder))
        if done.returncode:
            raise SystemExit(
                f"{ranks} ranks ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
            )
        return results_in(Path(folder), len(specs))


def run_to_its_error(spec: dict[str, Any], ranks: int, one: Results) -> Results:
    """One rank's results again, where the job ends by the same error, which it may not survive."""
    with tempfile.TemporaryDirectory() as folder:
        done = job([spec], ranks, Path(folder))
        if not done.returncode:
            return results_in(Path(folder), 1)[0]
    return one if bytes(one[IN_RUNNING]).decode() in done.stderr else {}


def difference(several: Results, one: Results) -> tuple[str, float]:
    """What differs first, and by how much; an empty name where all agrees."""
    if not several:
        return "another error", math.inf
    if several.keys() != one.keys():
        return f"keys {sorted(several.keys() ^ one.keys())}", math.inf
    if several["ranks that differ"]:
        return "the ranks among themselves", math.inf
    amounts = {name: apart(several[name], one[name]) for name in one}
    return next(((name, amount) for name, amount in amounts.items() if not amount <= TOLERANCE), ("", 0.0))


def kind_of(spec: dict[str, Any], several: Results, one: Results) -> tuple[str, str]:
    """How a specification fared, and what differs."""
    name, amount = difference(several, one)
    if not name:
        return ("both refuse" if any(key.startswith("error") for key in one) else "same"), ""
    if name.split()[0] in MAGNIFIABLE and amount < math.inf:
        distnet.utils.clear_session()
        distnet.utils.set_random_seed(spec["data"])
        run = Run(distnet, spec)
        run.everything()
        if is_ill_conditioned(run, amount, LAST_BITS, spec["data"]):
            return "ill-conditioned", ""
    return "differ", f"{name} by {amount:.2g}"


def compare(count: int, seed: int, ranks: int) -> int:
    """Run models on several ranks and on one, and say what differs; 1 where anything does."""
    begin = time.monotonic()
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    distnet.config.set_floatx("float64")
    specs = drawn(count, seed)
    kinds: collections.Counter[str] = collections.Counter()
    for start in range(0, count, OF_A_JOB):
        part = specs[start : start + OF_A_JOB]
        one = run(part, 1)
        trained = iter(run([spec for spec, results in zip(part, one, strict=True) if IN_RUNNING not in results], ranks))
        for spec, b in zip(part, one, strict=True):
            a = run_to_its_error(spec, ranks, b) if IN_RUNNING in b else next(trained)
            kind, apart_by = kind_of(spec, a, b)
            kinds[kind] += 1
            kinds["unseeded"] += bool(spec.get("training", {}).get("is_unseeded"))
            if apart_by:
                print(f"\n== {apart_by}\n{program_of(spec)}\n{json.dumps(spec)}", flush=True)
        print(f"{start + len(part)}/{count} models on {ranks} ranks and on 1, {dict(kinds)}, "
              f"{time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)  # fmt: skip
    print(f"{count} models on {ranks} ranks and on 1: {dict(kinds)}, {time.monotonic() - begin:.0f} s")
    return int(kinds["differ"] > 0)
