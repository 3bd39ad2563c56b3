# Runs one generated program from standard input and prints `outcome seconds detail`; the container is the isolation.
# docker build -f docker/sandbox.Dockerfile -t repoloom-sandbox .
# docker run -i --network none --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges repoloom-sandbox
FROM python:3.11-slim

RUN useradd --create-home --shell /usr/sbin/nologin candidate
COPY eval/sandbox_launcher.py /opt/sandbox_launcher.py
USER candidate
WORKDIR /tmp
# Isolation, wall seconds, memory, disk, number of processes, output (bytes): see the launcher.
ENTRYPOINT ["python", "-I", "-S", "-c", "import sys; sys.path.insert(0, '/opt'); import sandbox_launcher as s; s.main()"]
CMD ["rlimits", "10", "1000000000", "100000000", "64", "1000000"]
