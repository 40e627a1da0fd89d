# One image for web, worker and beat; the command says which.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt

FROM python:3.13-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=cs_platform.settings.production
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin cs
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY . /app
# Static files belong to the image; the values here only let the settings load.
RUN SECRET_KEY=build SECRETS_KEY=build BASE_URL=https://build.invalid DATABASE_URL=postgres:///build REDIS_URL=redis://build.invalid \
    EMAIL_URL=consolemail:// DEFAULT_FROM_EMAIL=build@build.invalid \
    python manage.py collectstatic --noinput --verbosity=0
USER cs
EXPOSE 8000
CMD ["gunicorn", "cs_platform.wsgi", "--bind=0.0.0.0:8000", "--workers=3", "--timeout=60", "--max-requests=10000", "--max-requests-jitter=1000", "--worker-tmp-dir=/dev/shm", "--access-logfile=-"]
