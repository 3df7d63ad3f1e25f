"""The practice's side: people, sessions, places and rules of every world, as arrays."""
