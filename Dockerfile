FROM python:3.12-slim-trixie

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_MANIFEST=true
WORKDIR /app

# pg_dump and pg_restore, of a version that the database of docker-compose.yml is not newer than.
RUN apt-get update \
    && apt-get install -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.lock .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock

COPY . .
RUN DATABASE_URL=sqlite://:memory: python manage.py collectstatic --no-input \
    && useradd --system --no-create-home topsail \
    && install -d -o topsail /var/lib/topsail

USER topsail
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["sh", "-c", "python manage.py migrate --no-input && exec gunicorn crm.wsgi --bind 0.0.0.0:8000"]
