"""The live connection: rooms, and the log of what happened in them."""
