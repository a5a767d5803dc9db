"""Text engines and barcode readers, as independent witnesses."""

from digitizer.engines.sheets import EngineSheetReader

__all__ = ["EngineSheetReader"]
