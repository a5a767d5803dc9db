"""digitizer: empties a hospital's X-ray film library into its digital archive."""

__version__ = "0.1.0"
