"""digitizer: empties a hospital's X-ray film library into its digital archive."""

from typing import Final

__version__: Final = "0.1.0"
