"""What ails an engine, found in what it wrote, what Kubernetes says and what its pages show."""
