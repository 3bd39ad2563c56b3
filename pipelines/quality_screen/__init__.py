"""Stage 6: files that do not parse are dropped (the compiler check of DeepSeek-Coder section 2.4)."""
