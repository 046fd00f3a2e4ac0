"""What everybody, or those one follows, rank highest; and who ranked most.

Triggers on the rankings keep the counters (`migrations/0008_marquee_feed.sql`); nothing here writes them.
"""
