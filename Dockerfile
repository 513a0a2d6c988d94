# Two images of one distribution: `operator`, and `server`, whose package an init container copies
# into a stock vLLM container. BASE_IMAGE is any glibc Linux with python3 (3.11 or newer) and venv.
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir --no-deps uv==0.13.9
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/vibethinker/venv \
    UV_PYTHON=python3 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /source
# Dependencies come first: a change of our own code leaves their layer alone.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --extra operator --no-install-project
COPY LICENSE README.md ./
COPY operator operator
COPY server server
RUN /opt/uv/bin/uv build --wheel --out-dir /wheels

FROM build AS operator-environment
RUN /opt/uv/bin/uv pip install --no-deps --python /opt/vibethinker/venv /wheels/*.whl

FROM build AS server-package
# No bytecode: the Python that reads this one is the engine's, not ours.
RUN UV_COMPILE_BYTECODE=0 /opt/uv/bin/uv pip install --no-deps --target /opt/vibethinker/package \
    /wheels/*.whl

FROM ${BASE_IMAGE} AS operator
COPY --from=operator-environment /opt/vibethinker/venv /opt/vibethinker/venv
ENV PATH=/opt/vibethinker/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
ENTRYPOINT ["python3", "-m", "vibethinker_operator"]

FROM ${BASE_IMAGE} AS server
COPY --from=server-package /opt/vibethinker/package /opt/vibethinker/package
USER 10001:10001
CMD ["cp", "-R", "/opt/vibethinker/package/.", "/vibethinker/"]
