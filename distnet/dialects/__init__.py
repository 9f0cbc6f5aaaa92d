"""What each version of Keras wrote, and how it is read: the one place that knows Keras versions."""
