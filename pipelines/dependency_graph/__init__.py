"""Stage 3: which files of its repository a file depends on (DeepSeek-Coder section 2.2)."""
