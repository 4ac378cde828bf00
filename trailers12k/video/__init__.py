"""Reads videos: probes them, decodes frames, detects shots and clips."""
