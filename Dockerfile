# The build stage ends with a folder of its own for the service, and only that goes on.
FROM python:3.13-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

WORKDIR /build

# The lock comes first: this layer stands as long as the lock does. There is no compiler here, so
# what has no wheel for this machine fails now and not later.
COPY requirements.txt ./
RUN pip download --require-hashes --only-binary=:all: --dest /wheels --requirement requirements.txt

# From here on nothing is downloaded. The service takes from the lock what it needs to run, and
# leaves what only built it.
COPY . ./
RUN pip wheel --no-index --find-links=/wheels --no-deps --wheel-dir=/wheels . \
    && python -m venv --without-pip /opt/register \
    && pip --python=/opt/register install --no-index --find-links=/wheels \
        "$(echo /wheels/innovation_register-*.whl)[semantic]"


FROM python:3.13-slim-trixie

LABEL org.opencontainers.image.title="innovation-register" \
      org.opencontainers.image.description="What the NHS in England learnt in the pandemic: what to keep, and what never to go back to." \
      org.opencontainers.image.licenses="MIT"

# A number, so that Kubernetes can see that it is not root (runAsNonRoot).
RUN useradd --uid=10001 --no-log-init --no-create-home --home-dir=/data --shell=/usr/sbin/nologin \
        register \
    && install --directory --owner=10001 --group=10001 /data

COPY --from=build /opt/register /opt/register

ENV PATH=/opt/register/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REGISTER_DATABASE_URL=sqlite:////data/register.db

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000

# Straight to the service, whatever proxy the environment names.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=2)"]

CMD ["register", "serve", "--host", "0.0.0.0", "--port", "8000"]
