"""The sources of movies: one module each, combined by `collection`."""
