"""What a reproduction is made of: what is executed, where, with which packages, and what the answer rests on."""
