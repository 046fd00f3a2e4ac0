-- Documents: text that several people write at the same time; the log of its operations is its truth.

create schema documents;
