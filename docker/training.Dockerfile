# Training and evaluation on NVIDIA GPUs, with FlashAttention.
# Build from the root: docker build -f docker/training.Dockerfile -t repoloom-training .
FROM nvidia/cuda:13.0.2-cudnn-devel-ubuntu24.04

RUN apt-get update && apt-get install --yes --no-install-recommends python3 python3-venv python3-dev git build-essential \
    && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /opt/repoloom
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pipelines pipelines
COPY assets assets
COPY training training
COPY eval eval
RUN pip install --no-cache-dir -c constraints.txt -e . && pip install --no-cache-dir --no-build-isolation -e '.[gpu]'
ENTRYPOINT ["accelerate", "launch", "-m", "training"]
