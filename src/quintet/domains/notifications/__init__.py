"""Notifications: what somebody is told of what others did, in every app."""

from quintet.domains.notifications.routes import NOTIFICATION_ROUTES
from quintet.kernel.parts import Part

PART = Part("notifications", routes=NOTIFICATION_ROUTES)

__all__ = ["PART"]
