"""Files: bytes kept in a folder or a bucket, and what is known of them in the database.

Floors above may refer to `kernel.files (id)`; a row of theirs that goes takes its file along by
`kernel.remove_files(ids)`.
"""
