"""Importing lists: Letterboxd's files, and what the front end keeps in the browser."""
