"""The web console: its room; the commands serve until it is built."""
