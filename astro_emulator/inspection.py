"""The inspection of the emulator, under `/_emulator`: its records, its calls, its faults and settings.

It needs no credential, and its calls are not counted, limited, delayed or struck by a fault, so that a test in another
process, or in another language, can set a scene and look at it while the API misbehaves.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from astro_emulator.answers import ApiError, FieldError, JSONAnswer
from astro_emulator.conditions import Conditions
from astro_emulator.faults import Fault
from astro_emulator.store import Store


def routes(store: Store, conditions: Conditions) -> APIRouter:  # noqa: C901 nine routes, no branches
    """Return the inspection of a store and of its conditions."""
    router = APIRouter(prefix="/_emulator")

    @router.get("/state")
    async def show_state() -> Response:
        return JSONAnswer(store.shown())

    @router.put("/state")
    async def replace_state(request: Request) -> Response:
        store.replace(await _body(request))
        return JSONAnswer(store.shown())

    @router.post("/reset")
    async def reset() -> Response:
        store.reset()
        conditions.clear()
        return JSONAnswer(store.shown())

    @router.patch("/settings")
    async def change_settings(request: Request) -> Response:
        changes = await _body(request)
        if not isinstance(changes, dict):
            raise ApiError(400, "Settings have to be an object.")
        return JSONAnswer(conditions.change(changes).model_dump())

    @router.get("/calls")
    async def show_calls() -> Response:
        return JSONAnswer(conditions.calls.shown())

    @router.delete("/calls")
    async def clear_calls() -> Response:
        conditions.calls.clear()
        return JSONAnswer(conditions.calls.shown())

    @router.post("/faults")
    async def order_faults(request: Request) -> Response:
        ordered = await _body(request)
        several = ordered if isinstance(ordered, list) else [ordered]
        conditions.faults.add([Fault.model_validate(one) for one in several])
        return JSONAnswer(conditions.faults.shown())

    @router.get("/faults")
    async def show_faults() -> Response:
        return JSONAnswer(conditions.faults.shown())

    @router.delete("/faults")
    async def clear_faults() -> Response:
        conditions.faults.clear()
        return JSONAnswer(conditions.faults.shown())

    return router


def refusal(error: ValidationError) -> ApiError:
    """Return what the caller reads about a malformed fault or setting."""
    faults = [
        FieldError(one["type"], ".".join(str(part) for part in one["loc"]), one["msg"])
        for one in error.errors(include_url=False, include_input=False)
    ]
    return ApiError(400, "Invalid request.", field_errors=faults)


async def _body(request: Request) -> Any:
    try:
        return await request.json()
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not JSON.") from None
