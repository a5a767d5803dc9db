"""The parts of ``scripts/bench_migrate.py``: what is made, brought over, killed and compared."""
