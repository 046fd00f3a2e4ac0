"""Ranked lists: one per person and tier, their order kept by PostgreSQL."""
