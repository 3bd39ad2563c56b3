"""One module per language family: what a file imports and names, and which files of the repository these are."""
