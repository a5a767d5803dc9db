"""Running it: private Redis, workers, the lock of a data folder, checks."""
