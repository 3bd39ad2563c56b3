"""Stage 11: joins all annotations with the text, once, and writes the documents that a model is trained on."""
