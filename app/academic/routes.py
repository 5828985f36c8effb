"""The pages of the course site, by address. Nobody gets in without signing in."""

from __future__ import annotations

from flask import Blueprint

from app.academic import (
    arriving,
    mail_models,  # noqa: F401 - its tables are the site's
    routes_assignments,
    routes_gradebook,
    routes_grading,
    routes_mail,
    routes_rubric,
    routes_similarity,
    routes_staff,
    routes_statistics,
    routes_student,
    routes_submission,
)
from app.accounts.guards import refusal

blueprint = Blueprint("academic", __name__)
blueprint.url_value_preprocessor(arriving.note_arrival)
blueprint.before_request(refusal)

_rule = blueprint.add_url_rule
_rule("/", "home", routes_student.home)
_rule("/courses/<int:course_id>", "course", routes_staff.course)
_rule("/courses/<int:course_id>/mail", "course_mail", routes_mail.course_mail, methods=["GET", "POST"])
_rule("/courses/<int:course_id>/statistics", "statistics", routes_statistics.course_statistics)
_rule("/courses/<int:course_id>/statistics.csv", "statistics_csv", routes_statistics.course_statistics_csv)
_rule("/courses/<int:course_id>/watch", "watch_list", routes_statistics.watch_list)
_rule("/courses/<int:course_id>/watch/rules", "watch_rules", routes_statistics.watch_rules, methods=["POST"])
_rule(
    "/courses/<int:course_id>/watch/<int:student_id>/<rule>",
    "watch_decide",
    routes_statistics.watch_decide,
    methods=["POST"],
)
_rule(
    "/assignments/<int:assignment_id>/statistics",
    "assignment_statistics",
    routes_statistics.assignment_statistics,
)
_rule(
    "/assignments/<int:assignment_id>/statistics.csv",
    "assignment_statistics_csv",
    routes_statistics.assignment_statistics_csv,
)
_rule("/courses/<int:course_id>/gradebook", "gradebook", routes_gradebook.gradebook)
_rule("/courses/<int:course_id>/gradebook.csv", "gradebook_csv", routes_gradebook.gradebook_csv)
_rule(
    "/courses/<int:course_id>/gradebook/import",
    "gradebook_import",
    routes_gradebook.gradebook_import,
    methods=["GET", "POST"],
)
_rule(
    "/assignments/<int:assignment_id>/students/<int:student_id>/grade",
    "override",
    routes_gradebook.override,
    methods=["GET", "POST"],
)
_rule("/assignments/<int:assignment_id>/pause", "pause", routes_grading.pause, methods=["POST"])
_rule("/assignments/<int:assignment_id>/resume", "resume", routes_grading.resume, methods=["POST"])
_rule(
    "/assignments/<int:assignment_id>/release-results",
    "release_results",
    routes_grading.release_results,
    methods=["POST"],
)
_rule(
    "/assignments/<int:assignment_id>/hide-results",
    "hide_results",
    routes_grading.hide_results,
    methods=["POST"],
)
_rule("/assignments/<int:assignment_id>/grading", "grading", routes_grading.grading)
_rule("/assignments/<int:assignment_id>/regrade", "regrade_all", routes_grading.regrade_all, methods=["POST"])
_rule("/regrades/<int:regrade_id>", "regrade_preview", routes_grading.preview)
_rule("/regrades/<int:regrade_id>/publish", "regrade_publish", routes_grading.publish, methods=["POST"])
_rule("/regrades/<int:regrade_id>/discard", "regrade_discard", routes_grading.discard, methods=["POST"])
_rule(
    "/courses/<int:course_id>/assignments/new",
    "new_assignment",
    routes_assignments.new_assignment,
    methods=["GET", "POST"],
)
_rule(
    "/assignments/<int:assignment_id>/versions",
    "versions",
    routes_assignments.versions,
    methods=["GET", "POST"],
)
_version = "/assignments/<int:assignment_id>/versions/<int:number>"
_rule(f"{_version}/check", "check_version", routes_assignments.check_version, methods=["POST"])
_rule(f"{_version}/use", "use_version", routes_assignments.use, methods=["POST"])
_rule(f"{_version}/files.zip", "version_archive", routes_assignments.version_archive)
_rule(
    "/assignments/<int:assignment_id>/extensions",
    "extensions",
    routes_assignments.extension_list,
    methods=["GET", "POST"],
)
_rule(
    "/assignments/<int:assignment_id>/extensions/<int:student_id>/remove",
    "remove_extension",
    routes_assignments.remove_extension,
    methods=["POST"],
)
_rule("/assignments/<int:assignment_id>", "assignment", routes_student.assignment)
_rule("/assignments/<int:assignment_id>/hand-in", "hand_in", routes_student.hand_in, methods=["POST"])
_rule("/assignments/<int:assignment_id>/given/<int:file_id>", "given_file", routes_student.given_file)
_rule("/assignments/<int:assignment_id>/grades.csv", "grades_csv", routes_staff.grades_csv)
_rule("/assignments/<int:assignment_id>/similarity", "similarity", routes_similarity.ranking)
_rule("/assignments/<int:assignment_id>/similarity.csv", "similarity_csv", routes_similarity.ranking_csv)
_rule(
    "/assignments/<int:assignment_id>/similarity/names",
    "hide_names",
    routes_similarity.hide_names,
    methods=["POST"],
)
_rule(
    "/assignments/<int:assignment_id>/similarity/compare",
    "compare_again",
    routes_similarity.compare_again,
    methods=["POST"],
)
_rule("/assignments/<int:assignment_id>/to-judge", "to_mark", routes_rubric.to_mark)
_rule("/submissions/<receipt>/rubric", "rubric", routes_rubric.rubric)
_rule("/submissions/<receipt>/rubric/mark", "mark", routes_rubric.mark, methods=["POST"])
_rule("/similarity/<int:pair_id>", "pair", routes_similarity.pair)
_rule("/similarity/<int:pair_id>/decide", "decide", routes_similarity.decide, methods=["POST"])
_rule("/submissions/<receipt>", "submission", routes_submission.submission)
_rule("/submissions/<receipt>/compare", "compare", routes_submission.compare)
_rule("/submissions/<receipt>/jobs/<kind>", "job_log", routes_submission.job_log)
_rule("/submissions/<receipt>/files/<int:file_id>", "download", routes_submission.download)
_rule("/submissions/<receipt>/choose", "choose", routes_student.choose, methods=["POST"])
_rule("/submissions/<receipt>/regrade", "regrade", routes_grading.regrade_one, methods=["POST"])
