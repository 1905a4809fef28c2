"""What it costs: this provider beside a naive one and beside one that does nothing, on the real engine."""
