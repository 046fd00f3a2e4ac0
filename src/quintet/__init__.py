"""Quintet: one backend for WIGG, Marquee, Storyboard, Sidechain and Playground."""

__version__ = "0.1.0"
