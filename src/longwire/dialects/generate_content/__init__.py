"""Gemini: `generateContent` and its kin."""
