"""Stage 7: reads WARC files and writes the visible text of every page once."""
