"""Pictures and films: pipelines, chains, waves, captions, the film and the contact sheet."""
