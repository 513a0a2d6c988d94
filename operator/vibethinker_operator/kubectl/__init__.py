"""`kubectl vibethinker`: what a person asks of a fleet, with that person's own rights."""
