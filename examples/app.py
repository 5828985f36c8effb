"""The smallest application with background jobs: `flask --app app jobs work` beside `flask --app app run`."""

from flask import Flask

from app.runner import Runner

application = Flask(__name__)
application.config["RUNNER_APPROVED"] = {"greetings.Greeting": ["handle"]}
Runner(application, guard=lambda: True)
