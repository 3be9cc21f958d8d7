"""`python -m yukjo`."""

from yukjo.cli import main

main()
