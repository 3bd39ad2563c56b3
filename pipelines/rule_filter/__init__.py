"""Stage 2: the rules of DeepSeek-Coder section 2.1 keep a third of what was crawled."""
