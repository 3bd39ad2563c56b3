"""Stage 9: finds the web pages about code and mathematics, in rounds (DeepSeekMath section 2.1)."""
