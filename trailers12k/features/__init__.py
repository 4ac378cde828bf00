"""Features: backbones turn clips and posters into vectors, kept in stores."""
