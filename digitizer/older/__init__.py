"""Older archives as sources: files on discs and folders, and archives that answer by DICOM."""
