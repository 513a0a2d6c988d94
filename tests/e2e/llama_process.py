"""Real llama-server on this machine's loopback, serving one GGUF file."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.cluster.images import llama_server
from tests.e2e.engine_process import free_port

# No token is left out, nor preferred.
PLAIN = {"seed": 1, "top_k": 0, "top_p": 1, "min_p": 0}
READY_SECONDS = 60.0
# Alone on the machine with one slot: what is asked for is answered in the order of the requests.
OPTIONS = ("--ctx-size", "2048", "--parallel", "1", "--threads", "2", "--cache-ram", "0")


@contextmanager
def running_llama_server(model: Path, log: Path) -> Iterator[httpx.Client]:
    """Starts it and waits until the model is loaded; yields a client of its port."""
    port = free_port()
    place = ("--host", "127.0.0.1", "--port", str(port))
    command: list[str | Path] = [
        llama_server() / "llama-server",
        "--model",
        model,
        *place,
        *OPTIONS,
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait(client, process, log)
            yield client
    finally:
        process.kill()
        process.wait()


def _wait(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with suppress(httpx.TransportError):
            if client.get("/health").status_code == httpx.codes.OK:
                return
        tail = log.read_text(errors="replace")[-2000:]
        assert process.poll() is None, f"llama-server ended:\n{tail}"
        assert time.monotonic() < deadline, f"llama-server is not ready:\n{tail}"
        time.sleep(0.05)


def tokenize(client: httpx.Client, text: str) -> list[int]:
    """Returns the numbers of a text's tokens, control tokens included."""
    answer = client.post("/tokenize", json={"content": text, "parse_special": True})
    return [int(each) for each in answer.raise_for_status().json()["tokens"]]


def complete(
    client: httpx.Client, prompt: list[int], count: int, temperature: float = 0
) -> list[int]:
    """Returns `count` tokens after `prompt`: the likeliest, or at a temperature drawn ones."""
    body: dict[str, Any] = {"prompt": prompt, "n_predict": count, "temperature": temperature}
    answer = client.post("/completion", json={**body, **PLAIN, "return_tokens": True})
    return [int(each) for each in answer.raise_for_status().json()["tokens"]]


def likeliest(client: httpx.Client, prompt: list[int], count: int) -> dict[int, float]:
    """Returns the `count` likeliest tokens after `prompt`, the first one first, with their logs."""
    body: dict[str, Any] = {"prompt": prompt, "n_predict": 1, "temperature": 0, "n_probs": count}
    answer = client.post("/completion", json={**body, **PLAIN}).raise_for_status().json()
    (only,) = answer["completion_probabilities"]
    return {int(each["id"]): float(each["logprob"]) for each in only["top_logprobs"]}
