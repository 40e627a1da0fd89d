"""Production: everything secret or local comes from the environment, and a missing value stops the start."""

from urllib.parse import urlsplit

from cs_platform.settings.base import *  # noqa: F403
from cs_platform.settings.base import broker, cache, database, env
from cs_platform.settings.limits import EVERYWHERE, WEB, limited
from cs_platform.settings.logs import logging_config

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SECRETS_KEY = env.str("SECRETS_KEY")
SECRETS_KEY_FALLBACKS = env.list("SECRETS_KEY_FALLBACKS", default=[])
BASE_URL = env.str("BASE_URL").rstrip("/")
_address = urlsplit(BASE_URL)
# The container asks itself for /healthz under its loopback name.
ALLOWED_HOSTS = [_address.hostname or "", "127.0.0.1", *env.list("ALLOWED_HOSTS", default=[])]
CSRF_TRUSTED_ORIGINS = [f"{_address.scheme}://{_address.netloc}"]

# wsgi.py and asgi.py say that they are the web process.
_is_web = env.str("CS_PROCESS", default="") == "web"
DATABASES = {"default": limited(database(env.str("DATABASE_URL")), WEB if _is_web else EVERYWHERE)}
REDIS_URL = env.str("REDIS_URL")
CACHES = cache(REDIS_URL)
CELERY_BROKER_URL = broker(REDIS_URL)

vars().update(env.email_url("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["br", "gz", "ico", "jpg", "map", "png", "webp", "woff", "woff2", "zip"]

# TLS ends at the proxy in front. `HTTPS=off` is for a trial on a plain-HTTP address, never for real data.
_https = env.bool("HTTPS", default=True)
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _https
SECURE_HSTS_PRELOAD = _https
SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_SECURE = _https
if _https:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    LANGUAGE_COOKIE_SECURE = True

LOGGING = logging_config(json=True, level=env.str("LOG_LEVEL", default="INFO"))
