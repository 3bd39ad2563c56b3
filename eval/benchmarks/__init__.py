"""One small module per benchmark: how its file is read, what is asked, where an answer stops, what checks it."""
