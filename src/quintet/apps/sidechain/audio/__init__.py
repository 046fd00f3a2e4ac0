"""Sidechain: audio."""
