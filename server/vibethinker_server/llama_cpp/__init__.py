"""The policy before llama-server: a reverse proxy inside our middleware, in its own container."""
