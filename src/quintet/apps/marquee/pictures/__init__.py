"""A tier list as a picture, at a public address."""
