"""Which movies a collection has, from where, and what people decided about them."""
