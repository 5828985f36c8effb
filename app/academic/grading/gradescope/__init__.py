"""Autograders made for Gradescope: their results file read, and their program run in the sandbox."""
