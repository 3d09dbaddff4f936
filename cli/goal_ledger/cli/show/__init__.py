"""How answers look: the data of a document, and what people see of it."""
