"""Stage 10: whatever shares text with a benchmark is dropped (DeepSeek-Coder section 2.4)."""
