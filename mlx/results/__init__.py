"""The types that cross rooms: what the analyses return and what plots take, and the schema of every table of them."""
