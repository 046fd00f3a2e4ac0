"""`python -m quintet.kernel.sound`: the process that hears one file."""

from quintet.kernel.sound.process import main

main()
