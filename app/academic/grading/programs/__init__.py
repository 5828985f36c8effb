"""Whole programs in the sandbox: started, fed, watched, and their output compared."""
