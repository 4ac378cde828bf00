"""What `trailers12k run` prints: progress per stage, failures, and the plan of a dry run."""
