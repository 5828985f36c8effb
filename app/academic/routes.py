"""The pages of the course site, by address. Nobody gets in without signing in."""

from __future__ import annotations

from flask import Blueprint

from app.academic import routes_similarity, routes_staff, routes_student, routes_submission
from app.accounts.guards import refusal

blueprint = Blueprint("academic", __name__)
blueprint.before_request(refusal)

_rule = blueprint.add_url_rule
_rule("/", "home", routes_student.home)
_rule("/courses/<int:course_id>", "course", routes_staff.course)
_rule("/courses/<int:course_id>/statistics", "statistics", routes_staff.statistics)
_rule("/assignments/<int:assignment_id>", "assignment", routes_student.assignment)
_rule("/assignments/<int:assignment_id>/hand-in", "hand_in", routes_student.hand_in, methods=["POST"])
_rule("/assignments/<int:assignment_id>/given/<int:file_id>", "given_file", routes_student.given_file)
_rule("/assignments/<int:assignment_id>/grades.csv", "grades_csv", routes_staff.grades_csv)
_rule("/assignments/<int:assignment_id>/similarity", "similarity", routes_similarity.ranking)
_rule("/similarity/<int:pair_id>", "pair", routes_similarity.pair)
_rule("/similarity/<int:pair_id>/decide", "decide", routes_similarity.decide, methods=["POST"])
_rule("/submissions/<receipt>", "submission", routes_submission.submission)
_rule("/submissions/<receipt>/files/<int:file_id>", "download", routes_submission.download)
_rule("/submissions/<receipt>/regrade", "regrade", routes_submission.regrade, methods=["POST"])
