"""What happens around a command that is recorded, in the order of its life: asked for, placed, prepared, observed, composed, finished."""
