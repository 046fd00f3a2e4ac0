"""The Movie Database (TMDB, v3): films that are not here yet, and what is to be known of those that are.

It is never needed: whatever becomes of it, what is in the catalogue is answered.
"""
