"""The line a film moves along: one table of stages, and the use-cases around it."""
