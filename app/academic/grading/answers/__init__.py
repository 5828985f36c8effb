"""Answers to questions with a key: read, judged, and imported from question banks."""
