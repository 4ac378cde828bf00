"""What every package shares: identity of movies, files, errors, words."""
