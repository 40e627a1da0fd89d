"""The test suite: real servers, with a database and a Redis database of its own for every process.

Importing this starts nothing: `tests/conftest.py` starts the servers that these addresses name.
"""

import os

from cs_platform.settings.base import *  # noqa: F403
from cs_platform.settings.base import broker, cache, database, env
from cs_platform.settings.logs import logging_config
from launcher.places import TEST_REDIS_DATABASES, TESTS

DEBUG = False
SECRET_KEY = "test-only-and-never-secret"  # noqa: S105
SECRETS_KEY = "test-only-and-never-secret-either"
SECRETS_KEY_FALLBACKS: list[str] = []
ALLOWED_HOSTS = ["*"]
BASE_URL = "http://testserver"

# Static files as they are in the checkout, nothing collected.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

DATABASES = {"default": database(env.str("DATABASE_URL", default=TESTS.database_url))}
# Connections of one test must not be those of another's thread.
DATABASES["default"]["CONN_MAX_AGE"] = 0

_given_redis = env.str("REDIS_URL", default="")
if _given_redis:
    # Servers of the caller's own: the workers of this one run share the few databases that a Redis has.
    _number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    _separator = "?db=" if _given_redis.startswith("unix://") else "/"
    REDIS_URL = f"{_given_redis.partition('?')[0].rstrip('/')}{_separator}{_number}"
else:
    REDIS_URL = f"{TESTS.redis_url}?db={os.getpid() % (TEST_REDIS_DATABASES - 1) + 1}"
CACHES = cache(REDIS_URL)
CELERY_BROKER_URL = broker(REDIS_URL)

EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
DEFAULT_FROM_EMAIL = "CS Platform <cs@demo.example>"

# Hashing is tested by Django; the tests only need it to be quick.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LOGGING = logging_config(json=False, level="WARNING")
