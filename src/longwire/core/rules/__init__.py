"""The rules: pure functions and state machines over values; time and ids are arguments."""
