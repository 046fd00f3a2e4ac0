"""Live capture: where somebody is in a title right now."""
