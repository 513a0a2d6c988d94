# Two images of one distribution: `operator`, and `server`, whose package an init container copies
# into a stock vLLM container, and which itself runs where there is no vLLM: as the Job that writes
# weights, and as the proxy before llama-server. BASE_IMAGE is any glibc Linux with python3 (3.11 or
# newer) and venv.
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS dependencies
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --no-deps uv==0.13.9
ENV UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/vibethinker/venv \
    UV_PYTHON=python3 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /source
# Without our own code, whose changes then leave this layer and its copies alone.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --extra operator --no-install-project --compile-bytecode
RUN UV_PROJECT_ENVIRONMENT=/opt/vibethinker/server-venv /opt/uv/bin/uv sync --frozen --no-dev \
    --extra proxy --extra small --no-install-project --compile-bytecode

FROM dependencies AS package
COPY LICENSE README.md ./
COPY operator operator
COPY server server
# No bytecode: in the server's case the Python that reads the files is the engine's.
RUN /opt/uv/bin/uv build --wheel --out-dir /wheels \
    && /opt/uv/bin/uv pip install --no-deps --target /opt/vibethinker/package /wheels/*.whl

FROM ${BASE_IMAGE} AS operator
COPY --from=dependencies /opt/vibethinker/venv /opt/vibethinker/venv
COPY --from=package /opt/vibethinker/package /opt/vibethinker/package
ENV PATH=/opt/vibethinker/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/vibethinker/package \
    PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["python3", "-m", "vibethinker_operator"]

FROM ${BASE_IMAGE} AS server
COPY --from=dependencies /opt/vibethinker/server-venv /opt/vibethinker/server-venv
COPY --from=package /opt/vibethinker/package /opt/vibethinker/package
ENV PATH=/opt/vibethinker/server-venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/opt/vibethinker/package \
    PYTHONUNBUFFERED=1
USER 10001:10001
CMD ["cp", "-R", "/opt/vibethinker/package/.", "/vibethinker/"]
