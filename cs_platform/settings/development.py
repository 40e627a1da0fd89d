"""A laptop: the launcher's own servers unless `DATABASE_URL` and `REDIS_URL` name others."""

from cs_platform.settings.base import *  # noqa: F403
from cs_platform.settings.base import broker, cache, database, env
from cs_platform.settings.logs import logging_config
from launcher.places import DEVELOPMENT

DEBUG = env.bool("DEBUG", default=True)
SECRET_KEY = "development-only-and-never-secret"  # noqa: S105
SECRETS_KEY = "development-only-and-never-secret-either"
SECRETS_KEY_FALLBACKS: list[str] = []
ALLOWED_HOSTS = ["*"]
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000")

DATABASES = {"default": database(env.str("DATABASE_URL", default=DEVELOPMENT.database_url))}
REDIS_URL = env.str("REDIS_URL", default=DEVELOPMENT.redis_url)
CACHES = cache(REDIS_URL)
CELERY_BROKER_URL = broker(REDIS_URL)

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="CS Platform <cs@demo.example>")

LOGGING = logging_config(json=False, level=env.str("LOG_LEVEL", default="INFO"))
