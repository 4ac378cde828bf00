"""The pipeline behind Trailers12k: from a list of movies to the paper's results table."""

__version__ = "0.1.0"
