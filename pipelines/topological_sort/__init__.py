"""Stage 4: the order of the files in a training sample (DeepSeek-Coder algorithm 1)."""
