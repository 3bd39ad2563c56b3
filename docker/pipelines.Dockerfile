# Beam workers and the Dagster code location: the same image, so both hold the same code.
# Build from the root: docker build -f docker/pipelines.Dockerfile -t repoloom-pipelines .
FROM apache/beam_python3.11_sdk:2.77.0

RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/repoloom
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pipelines pipelines
COPY assets assets
COPY training training
COPY eval eval
# The CPU build of torch comes from its own index; the image needs no GPU.
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu -c constraints.txt -e .
# The entry point stays Beam's: /opt/apache/beam/boot.
