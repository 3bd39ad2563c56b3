"""The data half: from repositories and web pages to tokenized training sequences."""
