"""Milestones: named moments of a title, added by hand or read out of chapter files."""
