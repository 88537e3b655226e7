"""Files of parameters changed in place: what is to be changed, and the text with that and nothing else changed."""
