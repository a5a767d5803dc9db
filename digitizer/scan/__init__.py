"""Where scans come from: scanners, folders, files."""
