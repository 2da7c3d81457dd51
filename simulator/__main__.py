"""`python -m simulator` is `acosim`."""

from simulator.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
