"""Grading of submitted Python: assignment folders, the sandbox, proxies and the report."""
