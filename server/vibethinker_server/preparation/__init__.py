"""Writes weights in another format, once for a whole fleet: what runs in the operator's Job."""
