"""For WSGI servers: `waitress-serve --call web.wsgi:create_app`, `gunicorn 'web.wsgi:create_app()'`, or
`flask --app web.wsgi run`.

One process with threads (gunicorn: `-w 1 -k gthread --threads 8`, no preload). Jobs need a `riparian worker` beside it.
"""

from __future__ import annotations

from flask import Flask

from riparian.config import Settings
from web import app, logs, wiring


def create_app() -> Flask:
    """The application with the settings of the environment."""
    settings = Settings()
    logs.configure(settings)
    return app.create_app(wiring.build(settings))
