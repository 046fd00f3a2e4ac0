"""Sound: what is in a file that somebody says is audio.

`sniffing` looks at its beginning, `listening` has the rest decoded in a process of its own: `process`.
All of it stands in the kernel since an app's package takes long to import, and each file has its own process.
"""
