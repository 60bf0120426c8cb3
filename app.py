"""The page: Gradio on FastAPI, wiring only."""
