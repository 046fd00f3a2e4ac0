"""Sidechain: channels and their members."""
