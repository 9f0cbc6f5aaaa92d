"""Run by every rank: runs specifications in distnet, and rank 0 writes what each gave: SPECS.json OUT.npz."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import distnet
from distnet import comm
from distnet.comm import scope
from distnet.errors import DistnetError
from running import Results, Run


def results_of(spec: dict[str, Any], folder: Path) -> Results:
    """What a specification gives, or the error that it ends with."""
    training = spec.get("training", {})
    if not training.get("is_unseeded"):
        distnet.utils.set_random_seed(spec["data"])
    place = "error in making"
    try:
        run = Run(distnet, spec)
        place = "error in running"
        results = run.everything(folder)
        if "file" in training:
            results["file"] = run.opened(folder / f"distnet.{training['file']}")
    except DistnetError as error:
        return {place: np.frombuffer(str(type(error).__name__).encode(), np.uint8)}
    return results


def main() -> None:
    specs, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    distnet.config.set_floatx("float64")
    everything = {}
    with tempfile.TemporaryDirectory() as own:
        folder = Path(comm.world().allgather_object(own)[0])
        for i, spec in enumerate(specs):
            results = results_of(spec, folder)
            own_bytes = {name: value.tobytes() for name, value in results.items()}
            with scope.meeting("comparing results") as ranks:  # a call of its own, whatever ended the one before
                pass
            everywhere = ranks.allgather_object(own_bytes)
            results["ranks that differ"] = np.array(sum(theirs != everywhere[0] for theirs in everywhere), "float64")
            everything |= {f"{i}/{name}": value for name, value in results.items()}
    if distnet.distribution.is_chief():
        np.savez(out, **everything)


if __name__ == "__main__":
    main()
