"""What the people one follows did.

Nothing is written for followers: a feed is read out of what everybody did, so a deed costs the same whoever
follows. `noting.py` is what the rankings call.
"""
