"""`python -m quintet.apps.marquee.pictures`: the process that draws."""

from quintet.apps.marquee.pictures.drawing_process import main

main()
