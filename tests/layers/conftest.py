"""Which files here are no tests: what a test's own process runs."""

collect_ignore = ["masks_in_keras.py"]
