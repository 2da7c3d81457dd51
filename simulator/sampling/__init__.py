"""What could happen: everything with a trial dimension starts here."""
