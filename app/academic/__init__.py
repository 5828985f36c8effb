"""The course site: courses, assignments, submissions, and the four jobs that follow a submission."""
