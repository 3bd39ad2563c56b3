"""Stage 2: the rules of DeepSeek-Coder section 2.1 (they kept 32.8 % of the paper's bytes)."""
