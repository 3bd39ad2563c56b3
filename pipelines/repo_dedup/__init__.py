"""Stage 5: near-duplicate repositories are dropped whole (DeepSeek-Coder section 2.3), so no structure is broken; then
copied files, and near-duplicates among files that stand alone."""
