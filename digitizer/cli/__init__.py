"""The commands of the contract."""


def main() -> None:
    """Run the command line."""
