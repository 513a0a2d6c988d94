"""Engine settings as llama-server's flags. Pure.

The operator renders the same list for the container `engine`; a contract test compares the two.
Only flags whose value a pod keeps for life: caps change while it runs, so the proxy enforces them
and `--predict` is left out.
"""

from vibethinker_server.engine_settings import EngineSettings

# A larger physical batch is not faster on a CPU and takes more memory (llama.cpp's own default).
MOST_PHYSICAL_BATCH = 512


def render_llama_args(settings: EngineSettings, address: str, threads: int | None) -> list[str]:
    """Returns the command line after the program's name.

    Args:
        settings: the engine's settings, of backend LlamaCpp.
        address: `host:port` to listen on.
        threads: processors that it may take, None: all that it sees.
    """
    host, _, port = address.rpartition(":")
    args = [
        *("--model", settings.model),
        *("--alias", settings.served_name),
        *("--host", host),
        *("--port", port),
        # One pool that all sequences share, and what each of them may have of it.
        *("--ctx-size", str(settings.llama_context_tokens)),
        "--kv-unified",
        *("--kv-unified-per-slot", str(settings.max_model_len)),
        *("--parallel", str(settings.max_num_seqs)),
        *("--batch-size", str(settings.max_num_batched_tokens)),
        *("--ubatch-size", str(min(settings.max_num_batched_tokens, MOST_PHYSICAL_BATCH))),
        # Else up to 8 GiB of old prompts outside of the pool.
        *("--cache-ram", "0"),
        # Weights that are read and not mapped are anonymous memory, which is what is measured.
        *("--load-mode", "none"),
        "--jinja",
        # A last message of the assistant would be continued, past the system prompt's rule.
        "--no-prefill-assistant",
        # What the model thinks stays in its answer, as under vLLM.
        *("--reasoning-format", "none"),
        "--metrics",
        "--slots",
        "--no-ui",
    ]
    if threads is not None:
        args += ["--threads", str(threads)]
    return args
