"""Nouns that several apps share; from outside, each is used only through what its `__init__` exports."""
