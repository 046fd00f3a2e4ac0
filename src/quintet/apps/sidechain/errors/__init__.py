"""Sidechain: error tracking."""
