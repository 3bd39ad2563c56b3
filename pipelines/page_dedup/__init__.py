"""Stage 8: drops pages of the same address, the same text, or nearly the same text (DeepSeekMath section 2.1)."""
