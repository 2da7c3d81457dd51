"""A slow second reading of the rules, to hold the contracts against."""
