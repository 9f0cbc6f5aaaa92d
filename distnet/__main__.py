"""The command ``distnet``, also ``python -m distnet``: ``run``, ``doctor`` and ``inspect``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from distnet.commands import doctor, inspect_files, run_job


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="distnet", description="Data-parallel training with Keras's interface.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    run = commands.add_parser(
        "run",
        help="start a program on several ranks",
        description=run_job.DESCRIPTION,
        epilog=run_job.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    run_job.add_arguments(run)
    checked = commands.add_parser("doctor", help="check what distnet needs here, and say what to do about faults")
    doctor.add_arguments(checked)
    inspect_files.add_arguments(
        commands.add_parser("inspect", help="show what a model's file holds, without loading it")
    )
    options = parser.parse_args(arguments)
    if options.command == "run":
        return run_job.run_job(options, run)
    return doctor.examine(options) if options.command == "doctor" else inspect_files.inspect_files(options)


if __name__ == "__main__":
    raise SystemExit(main())
