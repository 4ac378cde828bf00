"""What only the Snakefile needs: movies, sources, features, targets, versions of code."""
