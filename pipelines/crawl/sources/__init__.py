"""Where repositories come from: one module per kind of source, all with the methods of `source.Source`."""
