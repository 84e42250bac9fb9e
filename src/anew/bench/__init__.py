"""Which method is best for these images on this machine: quality, time and memory of every method of a task."""
