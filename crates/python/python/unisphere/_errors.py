"""Exceptions. Each is also of the built-in kind that a caller may expect."""

from __future__ import annotations


class UnisphereError(Exception):
    """Everything that this package raises, but for KeyboardInterrupt."""


class InvalidInput(UnisphereError, ValueError):
    """An argument that cannot be measured: its text names the argument, and the row where one is at fault."""


class FileError(UnisphereError, OSError):
    """A file that cannot be read, or whose rows cannot be measured: its text names the argument and the path."""


class DeviceError(UnisphereError, OSError):
    """A device that is missing, failed, or is too small."""


class OutOfMemory(UnisphereError, MemoryError):
    """A device without the memory that is needed."""


class ForkError(UnisphereError, RuntimeError):
    """A call in a process that was forked from one that had used this package, and does not have its threads."""


class InternalError(UnisphereError, RuntimeError):
    """A fault of this package. Please report it."""
