"""Arrays and other sources of rows -> global batches."""
