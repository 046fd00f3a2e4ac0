"""Sidechain: error tracking. What plugins report, folded, counted, kept for 90 days."""
