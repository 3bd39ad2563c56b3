"""Near-duplicates, for the stages that drop them: signatures, buckets, verification, clusters, verdicts. No stage."""
