"""Trains Llama-shaped code models on packed token sequences, under Accelerate, to Hugging Face checkpoints.

`python -m training CONFIG.toml` is the command; `pretrain.py` reads top to bottom as what it does.
"""
