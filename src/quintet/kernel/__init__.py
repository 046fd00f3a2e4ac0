"""Mechanisms without a product noun; everything above stands on them, they know nothing above."""
