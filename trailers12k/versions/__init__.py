"""Versions of a collection in DVC and Git: snapshots, restoring, comparing."""
