"""Older digital archives brought over: looked through, decided, sent, committed, verified.

The unit is the study: it is decided once, by its header, and goes its way as a whole, through the
same ledger, archive and guarantees as a film. Of its instances each has a row.
"""
