"""Sidechain: posts, and what people do with them."""
