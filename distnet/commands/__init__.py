"""The command ``distnet``: one file for each of its commands, and what they need."""
