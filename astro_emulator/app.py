"""The application: the API behind its front, the inspection, and one error shape for both."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from astro_emulator import api, inspection
from astro_emulator.answers import ApiError, FieldError, error_response
from astro_emulator.conditions import Conditions
from astro_emulator.front import Front
from astro_emulator.guard import Guard
from astro_emulator.store import Store


def application(store: Store, conditions: Conditions) -> ASGIApp:
    """Return the emulator as an ASGI application over a store and its conditions."""
    # FastAPI's own pages would load scripts from the internet, and a redirect is no answer of the API.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    routes = api.routes(store)
    app.include_router(routes)
    app.include_router(inspection.routes(store, conditions))

    @app.exception_handler(ApiError)
    async def refuse(_: Request, error: ApiError) -> Response:
        return error_response(error)

    @app.exception_handler(HTTPException)
    async def refuse_path(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path}: {error.detail}."
        return error_response(ApiError(error.status_code, message, headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def refuse_parameters(_: Request, error: RequestValidationError) -> Response:
        faults = [
            FieldError(one["type"], str(one["loc"][1] if len(one["loc"]) > 1 else one["loc"][0]), one["msg"])
            for one in error.errors()
        ]
        return error_response(ApiError(400, "Invalid request.", field_errors=faults))

    @app.exception_handler(ValidationError)
    async def refuse_order(_: Request, error: ValidationError) -> Response:
        return error_response(inspection.refusal(error))

    return Guard(Front(app, operations=api.operations(routes), store=store, conditions=conditions))
