"""What each Keras wrote, and how it reads here: the one place that knows Keras versions."""
