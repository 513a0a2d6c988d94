"""What a fleet would do on a trace, rehearsed with the very code that decides and admits."""
