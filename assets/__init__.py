"""The asset graph: everything that Dagster sees. No logic lives here; each asset is paths, settings and one call."""
