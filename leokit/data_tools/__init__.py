"""Tools for data sets: statistics, checks, splits, merging, data cards, shards."""
