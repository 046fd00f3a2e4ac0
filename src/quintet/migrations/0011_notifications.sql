-- Notifications: what somebody is told of what others did, folded, with preferences by kind.

create schema notifications;
