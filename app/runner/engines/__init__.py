"""Where jobs run. An engine starts attempts, ends them, and says what became of each; it writes nothing."""
