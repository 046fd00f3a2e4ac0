"""What everybody, or those one follows, rank highest."""
