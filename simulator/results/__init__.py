"""A run's folder: written block by block, reopened, proved."""

from simulator.results.exporting import Format, export, unfinished
from simulator.results.folder import (
    RULES,
    SCENARIO,
    code_version,
    identity,
    rules_text,
    run_scenario,
    terms,
    version,
    written,
)
from simulator.results.holding import held
from simulator.results.manifest import MANIFEST, Entry, entries
from simulator.results.manifest import append as commit
from simulator.results.opening import assumptions, digest, found, open_run, together, unsound
from simulator.results.recording import Beginning, close, closed, made_with, prepare, statuses
from simulator.results.sealing import record, seal
from simulator.results.showing import showing
from simulator.results.small_cells import few, told, withheld
from simulator.results.standing import PART, Standing, others, standing, standings
from simulator.results.store import STORE, Block, Pin, Store, Sums, blocks, kept
from simulator.results.verifying import Verified, verify

__all__ = [
    "MANIFEST",
    "PART",
    "RULES",
    "SCENARIO",
    "STORE",
    "Beginning",
    "Block",
    "Entry",
    "Format",
    "Pin",
    "Standing",
    "Store",
    "Sums",
    "Verified",
    "assumptions",
    "blocks",
    "close",
    "closed",
    "code_version",
    "commit",
    "digest",
    "entries",
    "export",
    "few",
    "found",
    "held",
    "identity",
    "kept",
    "made_with",
    "open_run",
    "others",
    "prepare",
    "record",
    "rules_text",
    "run_scenario",
    "seal",
    "showing",
    "standing",
    "standings",
    "statuses",
    "terms",
    "together",
    "told",
    "unfinished",
    "unsound",
    "verify",
    "version",
    "withheld",
    "written",
]
