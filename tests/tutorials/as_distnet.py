"""Runs a script and prints what its ``history`` holds: ``as_distnet.py SCRIPT FOLDER``."""

import json
import os
import runpy
import sys
import warnings

import distnet

script, folder = sys.argv[1:]
warnings.simplefilter("error")
distnet.utils.set_random_seed(7)
os.chdir(folder)
names = runpy.run_path(script, run_name="__main__")
if distnet.distribution.is_chief():
    print("HISTORY", json.dumps(names["history"].history))
