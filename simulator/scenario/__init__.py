"""What the user wrote: read, checked, resolved."""
