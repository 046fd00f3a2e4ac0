"""Films and plays: works of the shared catalogue, in Marquee's words."""
