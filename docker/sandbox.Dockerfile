# Runs generated code: nothing of ours but the sandbox, no network, no privileges.
# docker run --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges repoloom-sandbox
FROM python:3.11-slim

RUN useradd --create-home --shell /usr/sbin/nologin candidate
USER candidate
WORKDIR /tmp
