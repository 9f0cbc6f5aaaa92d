"""What data parallelism adds to training: shards, one reduction a step, replicas that agree."""
