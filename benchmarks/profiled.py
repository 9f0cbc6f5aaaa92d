"""Trains a workload with a profile, on as many ranks as it is started on: writes the trace and prints the table.

mpirun -n 3 python benchmarks/profiled.py --model resnet --batch 96 trace.json
"""

from __future__ import annotations

import argparse

import numpy as np
from workloads import CLASSES, WORKLOADS

import distnet as keras
from distnet.callbacks import Profiler


def main() -> None:
    """Take 30 steps, and show the last 20."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", help="the file to write")
    parser.add_argument("--model", choices=WORKLOADS, default="resnet")
    parser.add_argument("--batch", type=int, default=96, help="rows of one step, over all ranks")
    options = parser.parse_args()
    work = WORKLOADS[options.model]
    x, labels = work.data(options.batch * 10)
    model = work.model(keras)
    profiler = Profiler(options.trace, steps=(10, 29))
    y = np.eye(CLASSES, dtype=np.float32)[labels]
    model.fit(x, y, batch_size=options.batch, epochs=3, verbose=2, callbacks=[profiler])


if __name__ == "__main__":
    main()
