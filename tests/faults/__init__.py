"""What goes wrong in the middle of a run, and whether anything is lost, or shown wrong."""
