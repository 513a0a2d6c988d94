"""PromQL that both boards write alike: counters per second, and quantiles of histograms."""


def rate_by(counter: str, selector: str, *labels: str) -> str:
    """Returns a counter per second, summed by `labels`; none: over all of its series."""
    by = f" by ({', '.join(labels)})" if labels else ""
    return f"sum{by} (rate({counter}{{{selector}}}[$__rate_interval]))"


def quantile_by(share: float, histogram: str, selector: str, *labels: str) -> str:
    """Returns what a share (0 to 1) of a histogram's observations stay below, by `labels`."""
    return f"histogram_quantile({share}, {rate_by(f'{histogram}_bucket', selector, *labels, 'le')})"
