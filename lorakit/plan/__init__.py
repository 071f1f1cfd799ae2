"""Planning: from documents and facts to a graph of actions, each with its state. Pure."""
