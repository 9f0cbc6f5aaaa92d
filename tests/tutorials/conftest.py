"""The scripts are programs, not tests."""

collect_ignore_glob = ["as_distnet.py", "programs/*"]
