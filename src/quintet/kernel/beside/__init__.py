"""Work done in processes beside the server: what is slow, or opens what strangers sent.

`workshop` is the server's side, `worker` the process's, which imports nothing else of ours.
"""
