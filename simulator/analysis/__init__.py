"""What a run means: tails, differences on the same draws, and how sure the estimates are."""
