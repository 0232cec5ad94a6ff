"""danhba: a province's government mail system, compiled from one reviewed file."""
