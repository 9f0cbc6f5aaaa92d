"""``distnet doctor`` checks what distnet needs on this machine, and says for each fault what to do."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from distnet.commands.health_checks import CHECKS, Health

_SIGNS = {Health.GOOD: "ok", Health.NOTE: "note", Health.FAULT: "FAULT"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--json", action="store_true", help="as JSON, one object a line")


def examine(options: argparse.Namespace) -> int:
    """Make all checks; return the exit code, 1 if one of them finds a fault."""
    faults = 0
    for subject, check in CHECKS.items():
        finding = check()
        faults += finding.health is Health.FAULT
        if options.json:
            line = {"subject": subject, **asdict(finding), "health": _SIGNS[finding.health]}
            sys.stdout.write(json.dumps(line) + "\n")
        else:
            remedy = f"\n{'':24}-> {finding.remedy}" if finding.remedy else ""
            sys.stdout.write(f"{_SIGNS[finding.health]:<6} {subject:<16} {finding.told}{remedy}\n")
        sys.stdout.flush()
    if not options.json:
        sys.stdout.write(f"\n{faults} fault{'s' * (faults != 1)}.\n" if faults else "\nno faults.\n")
    return min(faults, 1)
