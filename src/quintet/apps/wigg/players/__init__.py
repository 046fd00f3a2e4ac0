"""Players: webhooks that move their owner's capture."""
