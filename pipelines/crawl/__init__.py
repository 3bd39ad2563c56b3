"""Stage 1: reads repositories, without ever checking one out, and writes the text of every file once."""
