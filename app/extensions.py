"""The Flask extensions of the site, made once and bound to an application in `app.web`."""

from __future__ import annotations

from flask_login import LoginManager
from flask_mail import Mail
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

csrf = CSRFProtect()
login_manager = LoginManager()
mail = Mail()
migrate = Migrate()
