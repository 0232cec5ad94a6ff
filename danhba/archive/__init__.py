"""The control machine's side of the archive of all mail (danhba/journal): search, proof."""
