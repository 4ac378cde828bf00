"""Fetching files from the network and verifying them."""
