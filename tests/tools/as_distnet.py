"""Runs a script and prints what its ``history`` holds: ``as_distnet.py SCRIPT FOLDER [SEED]``.

With ``any`` for the seed none is set: the seed that the ranks agree on is printed. With a number that one is the job's.
"""

import json
import os
import runpy
import sys
import warnings

import distnet

if __name__ == "__main__":
    script, folder, seed = (*sys.argv[1:], "")[:3]
    warnings.simplefilter("error")
    if not seed:
        distnet.utils.set_random_seed(7)
    elif seed != "any":
        distnet.random.set_job_seed(int(seed))
    os.chdir(folder)
    names = runpy.run_path(script, run_name="__main__")
    if distnet.distribution.is_chief():
        print("SEED", distnet.random.job_seed())
        print("HISTORY", json.dumps(names["history"].history))
