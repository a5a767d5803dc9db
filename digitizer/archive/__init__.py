"""Archives: a DIMSE client, our own listening entity, and an embedded archive."""
