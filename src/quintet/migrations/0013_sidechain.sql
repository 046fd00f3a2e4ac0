-- Sidechain: channels with members, posts, and what people do with them.

create schema sidechain;
