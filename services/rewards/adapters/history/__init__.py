"""What rewards keeps of the past: the activities as taken, and what follows from them of a moment then."""
