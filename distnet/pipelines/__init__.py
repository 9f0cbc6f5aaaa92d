"""Datasets: rows of files or arrays, which are changed, shuffled and put into batches when they are wanted."""
