"""OpenAI's other APIs: embeddings, images, audio, moderations, completions and rerank."""
