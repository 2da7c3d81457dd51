"""A dask cluster on TLS: who has its certificates computes there, who has not is refused."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import trustme
from distributed import Client
from distributed.security import Security

from simulator import results
from simulator.engine.run import run
from simulator.scenario import reading
from tests.faults.clusters import _end, _free_port
from tests.runs import small

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TLS = "DASK_DISTRIBUTED__COMM__TLS__"


def certified(folder: Path) -> dict[str, str]:
    """Return files of an authority of our own, and of a certificate and its key that it signed."""
    folder.mkdir()
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    return {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}


def settings(files: Mapping[str, str]) -> dict[str, str]:
    """Return what docs/clusters.md has a user export, for a client."""
    return {
        f"{TLS}CA_FILE": files["ca"],
        f"{TLS}CLIENT__CERT": files["cert"],
        f"{TLS}CLIENT__KEY": files["key"],
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, str]:
    return certified(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def address(files, tmp_path_factory) -> Iterator[str]:
    address = f"tls://127.0.0.1:{_free_port()}"
    given = ["--tls-ca-file", files["ca"], "--tls-cert", files["cert"], "--tls-key", files["key"]]
    place = ["--host", address.rpartition(":")[0], "--no-dashboard", *given]
    folder = str(tmp_path_factory.mktemp("worker"))
    every = [
        ["scheduler", "--protocol", "tls", "--port", address.rpartition(":")[2], *place],
        ["worker", address, "--nthreads", "1", "--local-directory", folder, *place],
    ]
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for words in every
    ]
    try:
        with Client(address, security=_security(files), timeout=60) as client:
            client.wait_for_workers(1, timeout=60)
        yield address
    finally:
        for process in started:
            _end(process)


def _security(files: Mapping[str, str]) -> Security:
    return Security(
        tls_ca_file=files["ca"],
        tls_client_cert=files["cert"],
        tls_client_key=files["key"],
        require_encryption=True,
    )


def test_a_run_over_tls_is_the_run(address, files, tmp_path, proof):
    scenario = small(60, ["level_e"])
    right = results.digest(run(scenario, tmp_path / "here", block=20).attrs["path"])
    with Client(address, security=_security(files)) as client:
        far = results.digest(
            run(scenario, tmp_path / "far", scheduler=client, block=20).attrs["path"]
        )
    file = tmp_path / "small.yaml"
    file.write_text(reading.canonical(scenario), encoding="utf-8")
    told = _acosim(file, address, tmp_path / "typed", settings(files))
    assert told.returncode == 0, told.stderr
    typed = results.digest(next((tmp_path / "typed").glob("quickstart-*")))
    proof("a run over TLS", f"client given {far == right}, settings alone {typed == right}")
    assert far == typed == right


@pytest.mark.parametrize("which", ["none", "of another authority", "not there", "plain tcp"])
def test_who_has_not_its_certificates_is_told_so(address, tmp_path, which, proof):
    file = tmp_path / "small.yaml"
    file.write_text(reading.canonical(small(60, ["level_e"])), encoding="utf-8")
    lost = {name: str(tmp_path / f"no-{name}.pem") for name in ("ca", "cert", "key")}
    env = {
        "none": {},
        "of another authority": settings(certified(tmp_path / "theirs")),
        "not there": settings(lost),
        "plain tcp": {},
    }[which]
    began = time.monotonic()
    asked = address.replace("tls:", "tcp:") if which == "plain tcp" else address
    told = _acosim(file, asked, tmp_path / "out", env)
    said = told.stderr.strip()
    seconds = time.monotonic() - began
    proof(f"certificates: {which}", f"exit {told.returncode} after {seconds:.0f} s: {said[-200:]}")
    assert told.returncode == 6, said
    assert "cannot be reached" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 3


def _acosim(
    file: Path, address: str, out: Path, env: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "simulator", "run", file, "--scheduler", address),
            *("--out", out, "--block", "20", "--json"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
