"""The smallest application with background jobs: `flask jobs work` beside `flask run`."""

from flask import Flask

from app.runner import Runner

application = Flask(__name__)
application.config["RUNNER_APPROVED"] = {"greetings.Greeting": ["handle"]}
Runner(application, guard=lambda: True)  # here you decide who may see the dashboard
