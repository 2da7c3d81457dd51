"""A run's folder: written block by block, reopened, proved."""

from simulator.results.folder import (
    code_version,
    identity,
    rules_text,
    run_scenario,
    terms,
    version,
)
from simulator.results.holding import held
from simulator.results.manifest import Entry
from simulator.results.manifest import append as commit
from simulator.results.opening import assumptions, digest, open_run, unsound
from simulator.results.recording import close, closed, prepare, statuses
from simulator.results.store import STORE, Block, Pin, Store, blocks, kept

__all__ = [
    "STORE",
    "Block",
    "Entry",
    "Pin",
    "Store",
    "assumptions",
    "blocks",
    "close",
    "closed",
    "code_version",
    "commit",
    "digest",
    "held",
    "identity",
    "kept",
    "open_run",
    "prepare",
    "rules_text",
    "run_scenario",
    "statuses",
    "terms",
    "unsound",
    "version",
]
