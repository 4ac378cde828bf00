"""Running one job over the movies of a shard, with a ledger of the outcome."""
