# `facefix serve` for a server: docs/docker.md
FROM debian:bookworm-slim AS build
ARG EXTRAS=serve
RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv
COPY . /src
RUN python3 -m venv /opt/facefix && /opt/facefix/bin/pip install --no-cache-dir --quiet "/src[$EXTRAS]"

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin facefix \
    && install --directory --owner facefix /models /state
COPY --from=build /opt/facefix /opt/facefix
ENV PATH=/opt/facefix/bin:$PATH FACEFIX_MODELS=/models FACEFIX_CACHE=/tmp/facefix FACEFIX_OFFLINE=1
USER facefix
VOLUME ["/models", "/state"]
EXPOSE 7861
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7861/healthz/live', timeout=4)"]
ENTRYPOINT ["facefix"]
# Without --token-file or FACEFIX_TOKEN, it stops with an error.
CMD ["serve", "--host", "0.0.0.0", "--warm-up"]
