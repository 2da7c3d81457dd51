"""What the process keeps of memory that was freed."""

import ctypes

__all__ = ["frugal"]

_M_MMAP_THRESHOLD = -3
_LONG = 4 * 2**20


def frugal() -> None:
    """Give back to the system what is free, and from now on what was a long array, where we can.

    glibc keeps it in a heap where what is smaller and lives longer lies behind it: blocks that
    were settled, or columns that were looked at, one by one then take the memory of several.
    """
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return
    if hasattr(library, "mallopt") and hasattr(library, "malloc_trim"):
        library.mallopt(_M_MMAP_THRESHOLD, _LONG)
        library.malloc_trim(0)
