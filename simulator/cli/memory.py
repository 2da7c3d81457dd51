"""What the process keeps of memory that was freed."""

import ctypes

__all__ = ["frugal"]

_M_MMAP_THRESHOLD = -3
_LONG = 4 * 2**20


def frugal() -> None:
    """Give free memory back to the system, and from now on that of each long array that goes.

    Only glibc has to be asked. It keeps free memory between what is still needed: columns that
    were looked at one by one would take the memory of several.
    """
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows
        return
    if hasattr(library, "mallopt") and hasattr(library, "malloc_trim"):
        library.mallopt(_M_MMAP_THRESHOLD, _LONG)
        library.malloc_trim(0)
