"""Stage 12: documents become packed token sequences, memory-mapped, which is what the trainer reads."""
