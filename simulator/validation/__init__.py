"""Whether the model does what it says, checked on the user's machine (ASOP 56, section 3.6)."""
