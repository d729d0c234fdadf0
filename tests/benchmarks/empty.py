"""The smallest FastAPI application: one route that does nothing."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/")
async def nothing() -> None:
    """Answer null."""
