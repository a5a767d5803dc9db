"""Where the indexes come from: CSV files today."""
