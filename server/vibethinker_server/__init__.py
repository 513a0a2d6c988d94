"""What runs in a server pod beside vLLM: admission, load, drain, and the ops port."""
