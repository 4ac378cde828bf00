"""Backbones: pretrained networks that turn clips and posters into feature vectors."""
