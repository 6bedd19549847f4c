"""Tools for datasets: statistics, checks, splits, merging, data cards, shards, face regions."""
