"""Changes of directory.yaml in place: a line comes, goes or changes; everything else stays."""
