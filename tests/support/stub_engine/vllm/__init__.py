"""A stand-in for vLLM: see vllm/stub.py."""
