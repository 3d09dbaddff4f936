"""Goals: their life, key results, loops, conditions and cadences."""
