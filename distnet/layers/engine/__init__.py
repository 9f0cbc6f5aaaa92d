"""What every layer is, and how it is called."""
