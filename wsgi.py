"""What gunicorn and `flask` load: the application, built from the environment."""

from app import create_app

application = create_app()
