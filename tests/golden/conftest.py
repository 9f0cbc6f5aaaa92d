"""The scripts that made the numbers need Keras and JAX, which the tests do not."""

collect_ignore_glob = ["make_*.py"]
